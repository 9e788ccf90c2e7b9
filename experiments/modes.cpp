#include "experiments/modes.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/train/serial.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/run_procs.hpp"
#include "threaded/run_threads.hpp"
#include "threaded/shared_exchange.hpp"

namespace dp::experiments {
namespace {

std::vector<ReductionChoice> serial_reductions() {
    return {{core::kSerialReduction, "one worker has all gradients"}};
}

std::vector<ReductionChoice> threads_reductions() {
    return {{threaded::kReductionName, "a rank sums its chunk of all ranks where they lie"}};
}

std::vector<ReductionChoice> procs_reductions() {
    std::vector<ReductionChoice> choices;
    for (const multiproc::Reduction& row : multiproc::reductions()) {
        choices.push_back({row.name, row.description});
    }
    return choices;
}

constexpr std::array kModes{
    Mode{"serial", "one worker; with -n P it plays P virtual workers in turn", false,
         core::run_serial, serial_reductions},
    Mode{"threads", "OpenMP threads that reduce gradients in place (shared memory)", false,
         threaded::run_threads, threads_reductions},
    Mode{"procs", "forked processes that exchange gradients (message passing)", true,
         multiproc::run_procs, procs_reductions},
};

}  // namespace

std::span<const Mode> modes() { return kModes; }

bool Mode::offers(std::string_view reduction) const {
    const auto all = reductions();
    return std::ranges::find(all, reduction, &ReductionChoice::name) != all.end();
}

std::string Mode::reduction_names() const {
    std::string names;
    for (const ReductionChoice& choice : reductions()) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", choice.name);
    }
    return names;
}

std::string mode_names() {
    std::string names;
    for (const Mode& mode : kModes) {
        names += names.empty() ? "" : ", ";
        names += mode.name;
    }
    return names;
}

const Mode& find_mode(std::string_view name) {
    for (const Mode& mode : kModes) {
        if (mode.name == name) return mode;
    }
    throw core::Error(core::ExitCode::kUsage, "--mode '{}' is not a mode: choose from {}", name,
                      mode_names());
}

core::RunResult run_job(const core::Job& job) {
    const Mode& mode = find_mode(job.config.mode);
    if (mode.forks) return mode.run(job);
    multiproc::GroupCallbacks child;
    child.name = [&](std::size_t) { return fmt::format("the {} process", mode.name); };
    core::Job own = job;
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
