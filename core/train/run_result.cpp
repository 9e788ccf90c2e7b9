#include "core/train/run_result.hpp"

#include <concepts>
#include <type_traits>

#include <nlohmann/json.hpp>

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
    return images > 0.0 ? images / train_seconds() : 0.0;
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

void visit_fields(MaybeConst<WorkerEpoch> auto& epoch, const auto& visit) {
    visit("images", epoch.images);
    visit("wall_seconds", epoch.wall_seconds);
    for (std::size_t i = 0; i < kPhases; ++i) {
        visit(std::string(kPhaseNames[i]) + "_seconds", epoch.phase_seconds[i]);
    }
    visit("exchange", epoch.exchange);
}

void visit_fields(MaybeConst<WorkerReport> auto& worker, const auto& visit) {
    visit("rank", worker.rank);
    visit("pid", worker.pid);
    visit("setup_seconds", worker.setup_seconds);
    visit("activation_bytes", worker.activation_bytes);
    visit("epochs", worker.epochs);
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
    visit("epochs", result.epochs);
    visit("workers", result.workers);
}

void write(Json& json, const auto& value) {
    visit_fields(value, [&](const std::string& name, const auto& field) { json[name] = field; });
}

void read(const Json& json, auto& value) {
    visit_fields(value, [&](const std::string& name, auto& field) { json.at(name).get_to(field); });
}

}  // namespace

// Found by nlohmann::json through argument-dependent lookup.
void to_json(Json& json, const ExchangeStats& stats) { write(json, stats); }
void from_json(const Json& json, ExchangeStats& stats) { read(json, stats); }
void to_json(Json& json, const WorkerEpoch& epoch) { write(json, epoch); }
void from_json(const Json& json, WorkerEpoch& epoch) { read(json, epoch); }
void to_json(Json& json, const WorkerReport& worker) { write(json, worker); }
void from_json(const Json& json, WorkerReport& worker) { read(json, worker); }
void to_json(Json& json, const EpochResult& epoch) { write(json, epoch); }
void from_json(const Json& json, EpochResult& epoch) { read(json, epoch); }
void to_json(Json& json, const RunResult& result) { write(json, result); }
void from_json(const Json& json, RunResult& result) { read(json, result); }

}  // namespace dp::core
