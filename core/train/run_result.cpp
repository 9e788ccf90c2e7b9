#include "core/train/run_result.hpp"

#include <algorithm>
#include <concepts>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "core/base/optional_json.hpp"
#include "core/measure/off_cpu.hpp"

namespace dp::core {

using Json = nlohmann::ordered_json;

double RunResult::train_seconds() const {
    double sum = 0.0;
    for (const EpochResult& epoch : epochs) sum += epoch.train_seconds;
    return sum;
}

double RunResult::images_per_second() const {
    double images = 0.0;
    for (const EpochResult& epoch : epochs) images += static_cast<double>(epoch.images);
    if (images <= 0.0) return 0.0;
    return (images - static_cast<double>(cold_images)) / (train_seconds() - cold_seconds);
}

double RunResult::step_seconds() const {
    return (train_seconds() - cold_seconds) /
           static_cast<double>(steps_per_epoch * epochs.size() - cold_steps);
}

PhaseSeconds RunResult::mean_phase_seconds() const {
    PhaseSeconds mean{};
    for (const WorkerReport& worker : workers) {
        for (const WorkerEpoch& epoch : worker.epochs) {
            for (std::size_t i = 0; i < kPhases; ++i) {
                mean[i] += epoch.phase_seconds[i] / static_cast<double>(workers.size());
            }
        }
    }
    return mean;
}

namespace {

void attribute_wait(std::vector<WorkerReport>& workers, std::size_t epoch) {
    std::vector<const StepArrivals*> arrivals;
    for (const WorkerReport& worker : workers) {
        if (!worker.epochs[epoch].phase_cpu_seconds) return;
        arrivals.push_back(&worker.arrivals.at(epoch));
    }
    const std::vector<double> seconds = find_wait_for_off_cpu(arrivals);
    for (std::size_t i = 0; i < workers.size(); ++i) {
        workers[i].epochs[epoch].wait_for_off_cpu_seconds = seconds[i];
    }
}

using Stamps = std::vector<const std::vector<std::int64_t>*>;

/// How long after the first rank each came, in the steps that are kept.
void keep_lateness(RunResult& result, std::size_t epoch, const Stamps& all, StepPart part) {
    if (all.size() < 2 || all.front()->empty()) return;
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
        if (result.workers[rank].steps.empty()) return;
        EpochSteps& steps = result.workers[rank].steps.at(epoch);
        for (std::size_t step = 0; step < steps.size(); ++step) {
            std::int64_t first = (*all[rank])[step];
            for (const auto* other : all) first = std::min(first, (*other)[step]);
            const auto late_ns = static_cast<double>((*all[rank])[step] - first);
            steps[part].push_back(to_microseconds(1e-9 * late_ns));
        }
    }
}

}  // namespace

void attribute_lateness(RunResult& result) {
    if (result.times_left_out) return;
    const auto attribute = [&](std::size_t epoch, auto StepArrivals::*stamps,
                               Lateness WorkerEpoch::*late, StepPart part) {
        Stamps all;
        for (const WorkerReport& worker : result.workers) {
            all.push_back(&(worker.arrivals.at(epoch).*stamps));
        }
        const std::vector<Lateness> found = find_lateness(all);
        for (std::size_t i = 0; i < found.size(); ++i) {
            result.workers[i].epochs[epoch].*late = found[i];
        }
        keep_lateness(result, epoch, all, part);
    };
    for (std::size_t epoch = 0; epoch < result.epochs.size(); ++epoch) {
        attribute(epoch, &StepArrivals::exchange_ns, &WorkerEpoch::late_at_exchange,
                  StepPart::kLateAtExchange);
        attribute(epoch, &StepArrivals::publish_ns, &WorkerEpoch::late_at_publish,
                  StepPart::kLateAtPublish);
        attribute_wait(result.workers, epoch);
    }
    for (WorkerReport& worker : result.workers) worker.arrivals.clear();
}

// One list of fields per type serves writing and reading.
namespace {

template <typename T, typename Wanted>
concept MaybeConst = std::same_as<std::remove_const_t<T>, Wanted>;

void visit_fields(MaybeConst<ExchangeStats> auto& stats, const auto& visit) {
    visit("wait_seconds", stats.wait_seconds);
    visit("hidden_seconds", stats.hidden_seconds);
    visit("sent_bytes", stats.sent_bytes);
    visit("calls", stats.calls);
}

void visit_fields(MaybeConst<HardwareCounts> auto& counts, const auto& visit) {
    visit("cycles", counts.cycles);
    visit("instructions", counts.instructions);
    visit("cache_misses", counts.cache_misses);
}

void visit_fields(MaybeConst<ThreadUsage> auto& usage, const auto& visit) {
    visit("cpu_seconds", usage.cpu_seconds);
    visit("voluntary_switches", usage.voluntary_switches);
    visit("involuntary_switches", usage.involuntary_switches);
    visit("migrations", usage.migrations);
    visit("counts", usage.counts);
    visit("cpu_mhz", usage.cpu_mhz);
}

void visit_fields(MaybeConst<Lateness> auto& late, const auto& visit) {
    visit("steps", late.steps);
    visit("seconds", late.seconds);
}

void visit_fields(MaybeConst<StepArrivals> auto& arrivals, const auto& visit) {
    visit("exchange_ns", arrivals.exchange_ns);
    visit("publish_ns", arrivals.publish_ns);
    visit("off_cpu_ns", arrivals.off_cpu_ns);
}

void visit_fields(MaybeConst<EpochSteps> auto& steps, const auto& visit) {
    visit("columns", steps.columns);
}

void visit_fields(MaybeConst<WorkerMemory> auto& memory, const auto& visit) {
    visit("parameters_bytes", memory.parameters_bytes);
    visit("gradients_bytes", memory.gradients_bytes);
    visit("optimizer_bytes", memory.optimizer_bytes);
    visit("activations_bytes", memory.activations_bytes);
}

void visit_fields(MaybeConst<ProcessMemory> auto& memory, const auto& visit) {
    visit("pss_bytes", memory.pss_bytes);
    visit("private_bytes", memory.private_bytes);
    visit("shared_bytes", memory.shared_bytes);
}

void visit_fields(MaybeConst<WorkerEpoch> auto& epoch, const auto& visit) {
    visit("images", epoch.images);
    visit("wall_seconds", epoch.wall_seconds);
    for (std::size_t i = 0; i < kPhases; ++i) {
        visit(std::string(kPhaseNames[i]) + "_seconds", epoch.phase_seconds[i]);
    }
    visit("exchange", epoch.exchange);
    visit("usage", epoch.usage);
    visit("late_at_exchange", epoch.late_at_exchange);
    visit("late_at_publish", epoch.late_at_publish);
    visit("wait_for_off_cpu_seconds", epoch.wait_for_off_cpu_seconds);
}

void visit_fields(MaybeConst<ClockFit> auto& clock, const auto& visit) {
    visit("offset_seconds", clock.offset_seconds);
    visit("drift_ppm", clock.drift_ppm);
    visit("error_seconds", clock.error_seconds);
}

void visit_fields(MaybeConst<WorkerReport> auto& worker, const auto& visit) {
    visit("rank", worker.rank);
    visit("pid", worker.pid);
    if (!worker.cpus.empty()) {
        visit("threads", worker.threads);
        visit("cpus", worker.cpus);
    }
    visit("setup_seconds", worker.setup_seconds);
    visit("memory", worker.memory);
    visit("process_memory", worker.process_memory);
    visit("epochs", worker.epochs);
    if (worker.clock) visit("clock", *worker.clock);
    if (!worker.arrivals.empty()) visit("arrivals", worker.arrivals);
    if (!worker.trace.names.empty()) visit("trace", worker.trace);
    if (!worker.steps.empty()) visit("steps", worker.steps);
}

void visit_fields(MaybeConst<EpochResult> auto& epoch, const auto& visit) {
    visit("images", epoch.images);
    visit("train_loss", epoch.train_loss);
    visit("train_accuracy", epoch.train_accuracy);
    visit("test_loss", epoch.test_loss);
    visit("test_accuracy", epoch.test_accuracy);
    visit("train_seconds", epoch.train_seconds);
    visit("evaluation_seconds", epoch.evaluation_seconds);
}

void visit_fields(MaybeConst<RunResult> auto& result, const auto& visit) {
    visit("total_seconds", result.total_seconds);
    visit("test_loss", result.test_loss);
    visit("test_accuracy", result.test_accuracy);
    visit("checksum", result.checksum);
    visit("update", result.update_kind);
    visit("reduction", result.reduction);
    visit("steps_per_epoch", result.steps_per_epoch);
    visit("batches_tracked", result.batches_tracked);
    visit("exchange_buckets", result.exchange_buckets);
    visit("supervisor_memory", result.supervisor_memory);
    if (result.times_left_out) visit("times_left_out", result.times_left_out);
    if (result.cold_steps > 0) {
        visit("cold_steps", result.cold_steps);
        visit("cold_images", result.cold_images);
        visit("cold_seconds", result.cold_seconds);
    }
    visit("epochs", result.epochs);
    visit("workers", result.workers);
}

template <typename T>
concept Described = requires(T& value) {
    visit_fields(value, [](const auto&, auto&) {});
};

template <Described T>
void write_fields(Json& json, const T& value) {
    visit_fields(value, [&](const auto& name, const auto& field) { json[name] = field; });
}

template <typename T>
constexpr bool kIsOptional = false;
template <typename T>
constexpr bool kIsOptional<std::optional<T>> = true;

/// What may be none is none where an older program did not write it.
template <Described T>
void read_fields(const Json& json, T& value) {
    visit_fields(value, [&]<typename Field>(const auto& name, Field& field) {
        if constexpr (kIsOptional<Field>) {
            if (!json.contains(name)) return;
        }
        json.at(name).get_to(field);
    });
}

}  // namespace

// Found by nlohmann::json through argument-dependent lookup.
template <Described T>
void to_json(Json& json, const T& value) {
    write_fields(json, value);
}

template <Described T>
void from_json(const Json& json, T& value) {
    read_fields(json, value);
}

namespace {

std::string cpu_field(std::size_t phase) {
    return std::string(kPhaseNames[phase]) + "_cpu_seconds";
}

}  // namespace

void to_json(Json& json, const WorkerEpoch& epoch) {
    write_fields(json, epoch);
    const auto& seconds = epoch.phase_cpu_seconds;
    for (std::size_t i = 0; i < kPhases; ++i) {
        json[cpu_field(i)] = seconds ? Json((*seconds)[i]) : Json(nullptr);
    }
}

void from_json(const Json& json, WorkerEpoch& epoch) {
    read_fields(json, epoch);
    // An older program did not write them.
    if (json.value(cpu_field(0), Json()).is_null()) return;
    PhaseSeconds& seconds = epoch.phase_cpu_seconds.emplace();
    for (std::size_t i = 0; i < kPhases; ++i) json.at(cpu_field(i)).get_to(seconds[i]);
}

void to_json(Json& json, const WorkerReport& worker) { write_fields(json, worker); }
void from_json(const Json& json, WorkerReport& worker) {
    // What does not outlive the run is not in its file, nor what an older program did not write.
    if (json.contains("cpus")) json.at("cpus").get_to(worker.cpus);
    if (json.contains("clock")) worker.clock.emplace();
    if (json.contains("arrivals")) json.at("arrivals").get_to(worker.arrivals);
    if (json.contains("trace")) json.at("trace").get_to(worker.trace);
    if (json.contains("steps")) json.at("steps").get_to(worker.steps);
    read_fields(json, worker);
}

void to_json(Json& json, const RunResult& result) { write_fields(json, result); }
void from_json(const Json& json, RunResult& result) {
    result.times_left_out = json.contains("times_left_out");
    if (json.contains("cold_steps")) json.at("cold_steps").get_to(result.cold_steps);
    read_fields(json, result);
}

}  // namespace dp::core
