#include "experiments/modes.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/train/serial.hpp"
#include "experiments/delay_listener.hpp"
#include "multiproc/hybrid/hybrid_exchange.hpp"
#include "multiproc/hybrid/run_hybrid.hpp"
#include "multiproc/mpi/reductions.hpp"
#include "multiproc/mpi/run_mpi.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/run_procs.hpp"
#include "threaded/reductions.hpp"
#include "threaded/run_threads.hpp"

namespace dp::experiments {
namespace {

std::vector<core::ExchangeTraits> serial_reductions() {
    return core::traits_of(core::serial_reductions());
}

std::vector<core::ExchangeTraits> intraop_reductions() {
    return core::traits_of(core::intraop_reductions());
}

std::vector<core::ExchangeTraits> threads_reductions() {
    return core::traits_of(threaded::reductions());
}

std::vector<core::ExchangeTraits> procs_reductions() {
    return core::traits_of(multiproc::reductions());
}

std::vector<core::ExchangeTraits> mpi_reductions() {
    return core::traits_of(multiproc::mpi_reductions());
}

std::vector<core::ExchangeTraits> hybrid_reductions() {
    return core::traits_of(multiproc::hybrid_reductions());
}

constexpr std::array kModes{
    Mode{.name = "serial",
         .description = "one worker; with -n P it plays P virtual workers in turn",
         .is_baseline = true,
         .takes_turns = true,
         .exchanges = false,
         .timed_alone = false,
         .color = 0x000000,
         .mark = 9,
         .run = core::run_serial,
         .reductions = serial_reductions},
    Mode{.name = "intraop",
         .description = "one replica whose step oneDNN and our own loops split over N threads",
         .exchanges = false,
         .one_replica = true,
         .timed_alone = false,
         .color = 0xCC79A7,
         .mark = 15,
         .run = core::run_intraop,
         .reductions = intraop_reductions},
    // Colours that colour-blind readers tell apart (Okabe and Ito, "Color universal design", 2008).
    Mode{.name = "threads",
         .description = "OpenMP threads that sum gradients in shared memory",
         .color = 0x0072B2,
         .mark = 7,
         .run = threaded::run_threads,
         .reductions = threads_reductions},
    Mode{.name = "procs",
         .description = "forked processes that exchange gradients (message passing)",
         .forks = true,
         .color = 0xD55E00,
         .mark = 5,
         .run = multiproc::run_procs,
         .reductions = procs_reductions},
    Mode{.name = "hybrid",
         .description = "forked processes of several OpenMP threads each (both at once)",
         .forks = true,
         .has_teams = true,
         .color = 0xF0E442,
         .mark = 3,
         .run = multiproc::run_hybrid,
         .reductions = hybrid_reductions},
    Mode{.name = "mpi",
         .description = "programs that mpirun starts and that exchange gradients by MPI, on one "
                        "machine or several",
         .forks = true,
         .is_launched = true,
         .color = 0x009E73,
         .mark = 13,
         .run = multiproc::run_mpi,
         .check = multiproc::check_mpi,
         .reductions = mpi_reductions},
    Mode{.name = "hybrid-mpi",
         .description = "programs that mpirun starts, of several OpenMP threads each, on one "
                        "machine or several",
         .forks = true,
         .is_launched = true,
         .has_teams = true,
         .timed_alone = false,
         .color = 0x56B4E9,
         .mark = 11,
         .run = multiproc::run_hybrid_mpi,
         .check = multiproc::check_mpi,
         .reductions = hybrid_reductions},
};

constexpr Mode kUnknown{};

std::string_view mode_name(std::string_view design) { return design.substr(0, design.find('/')); }

}  // namespace

std::span<const Mode> modes() { return kModes; }

std::optional<core::ExchangeTraits> Mode::find_reduction(std::string_view wanted) const {
    for (const core::ExchangeTraits& traits : reductions()) {
        if (traits.is_called(wanted)) return traits;
    }
    return std::nullopt;
}

std::optional<core::ExchangeTraits> Mode::reduction_for(std::string_view wanted) const {
    if (auto own = find_reduction(wanted)) return own;
    if (exchanges) return std::nullopt;
    for (const Mode& mode : kModes) {
        const auto played = mode.find_reduction(wanted);
        if (!played) continue;
        for (const core::ExchangeTraits& traits : reductions()) {
            if (core::promise_equal_bits(traits.order, played->order)) return traits;
        }
    }
    return std::nullopt;
}

std::optional<core::ExchangeTraits> Mode::usual_reduction(bool shards) const {
    for (const core::ExchangeTraits& traits : reductions()) {
        if (!shards || traits.order == core::SumOrder::kTree) return traits;
    }
    return std::nullopt;
}

std::string Mode::reduction_names() const {
    std::vector<std::string_view> names;
    for (const core::ExchangeTraits& traits : reductions()) names.push_back(traits.name);
    return core::join(names);
}

std::string mode_names() {
    std::vector<std::string_view> names;
    for (const Mode& mode : kModes) names.push_back(mode.name);
    return core::join(names);
}

std::vector<std::string> modes_that(bool Mode::*question) {
    std::vector<std::string> names;
    for (const Mode& mode : kModes) {
        if (mode.*question) names.emplace_back(mode.name);
    }
    return names;
}

const Mode& mode_of(std::string_view name) {
    const auto found = std::ranges::find(kModes, mode_name(name), &Mode::name);
    return found == kModes.end() ? kUnknown : *found;
}

std::string design_of(const core::RunConfig& config) {
    const Mode& mode = mode_of(config.mode);
    if (mode.reductions == nullptr || config.reduction.empty()) return config.mode;
    const auto first = mode.usual_reduction(config.shards.has_value());
    const bool usual =
        (first && first->is_called(config.reduction)) || (!mode.exchanges && config.workers == 1);
    if (usual) return config.mode;
    const auto known = mode.find_reduction(config.reduction);  // by its former name, perhaps
    return fmt::format("{}/{}", config.mode, known ? known->name : config.reduction);
}

bool same_mode(std::string_view design, std::string_view other) {
    return mode_name(design) == mode_name(other);
}

std::size_t design_width(std::span<const std::string> designs) {
    std::size_t width = 8;  // of the modes' names but the longest
    for (const std::string& design : designs) width = std::max(width, design.size());
    return width;
}

std::string in_file_name(std::string design) {
    std::ranges::replace(design, '/', '-');
    return design;
}

const Mode& find_mode(std::string_view name) {
    const Mode& mode = mode_of(name);
    if (&mode != &kUnknown && mode.name == name) return mode;
    throw core::Error(core::ExitCode::kUsage, "--mode '{}' is not a mode: choose from {}", name,
                      mode_names());
}

void warn_of_former_name(const core::ExchangeTraits& reduction, std::string_view name) {
    if (name == reduction.name) return;
    spdlog::warn("--reduction {} is the former name of {}: use the new one", name, reduction.name);
}

core::SumOrder sum_order_of(std::string_view mode, std::string_view reduction) {
    const Mode& row = mode_of(mode);
    if (row.reductions == nullptr) return core::SumOrder::kRing;
    return row.find_reduction(reduction).value_or(row.reductions().front()).order;
}

std::size_t ranks_of(const core::RunConfig& config) {
    return config.shards.value_or(mode_of(config.mode).ranks(config.workers));
}

std::size_t global_batch(const core::RunConfig& config) {
    return config.batch_size * ranks_of(config);
}

std::size_t steps_of(const core::Job& job) {
    return job.training(0, ranks_of(job.config))->steps();
}

bool has_order(std::string_view mode, std::string_view reduction, std::size_t workers) {
    const core::SumOrder order = sum_order_of(mode, reduction);
    return workers == 1 || core::promise_equal_bits(order, order);
}

core::RunResult run_job(const core::Job& job) {
    const Mode& mode = find_mode(job.config.mode);
    core::Job own = job;
    own.supervisor_memory = [pid = getpid()] { return core::read_process_memory(pid); };
    std::optional<DelayListener> delay;
    if (job.config.delay) own.listener = &delay.emplace(*job.listener, *job.config.delay);
    if (mode.forks) return mode.run(own);
    multiproc::GroupCallbacks child;
    child.name = [&](std::size_t) { return fmt::format("the {} process", mode.name); };
    child.on_start = [&](std::function<void(const core::Error&)> leave) {
        own.leave = std::move(leave);
    };
    child.work = [&](std::size_t) { return nlohmann::ordered_json(mode.run(own)).dump(); };
    try {
        const auto reports = multiproc::run_process_group(1, child);
        return nlohmann::ordered_json::parse(reports.front()).get<core::RunResult>();
    } catch (const multiproc::WorkerFailure& failure) {
        // The one process of its group is no rank of the run.
        throw multiproc::WorkerFailure(failure.code(), failure.what(), std::nullopt, failure.pid(),
                                       failure.signal());
    }
}

}  // namespace dp::experiments
