#include "experiments/allreduce/reductions.hpp"

#include <algorithm>
#include <array>

#include "core/base/memory_block.hpp"
#include "experiments/modes.hpp"
#include "multiproc/mpi/launcher.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/shared_segment.hpp"
#include "threaded/reductions.hpp"
#include "threaded/run_threads.hpp"

namespace dp::experiments::allreduce {
namespace {

void run_thread_team(const threaded::Reduction& reduction, const Team& team) {
    threaded::SharedTeam shared(team.workers, {{0, team.count}}, team.timeout_seconds);
    // Mapped here and touched first by their ranks; they outlive the team.
    std::vector<core::FloatBlock> gradients;
    for (std::size_t rank = 0; rank < team.workers; ++rank) gradients.emplace_back(team.count);
    threaded::run_team(
        team.workers,
        [&](std::size_t rank) {
            const auto exchange = reduction.make({shared, rank, gradients[rank].span()});
            team.work(rank, *exchange, gradients[rank].span());
        },
        [&] {
            shared.failed.store(1, std::memory_order_release);
            team.on_failure();
        });
}

void run_threads(std::string_view name, const Team& team) {
    const threaded::Reduction& reduction = core::find_reduction(threaded::reductions(), name);
    multiproc::GroupCallbacks child;
    child.name = [](std::size_t) { return std::string("the threads process"); };
    child.work = [&](std::size_t) {
        run_thread_team(reduction, team);
        return std::string();
    };
    multiproc::run_process_group(1, child);
}

void run_procs(std::string_view name, const Team& team) {
    const multiproc::Reduction& reduction = core::find_reduction(multiproc::reductions(), name);
    multiproc::SharedSegment segment(reduction.plan(team.workers, team.count));
    multiproc::GroupCallbacks ranks;
    ranks.work = [&](std::size_t rank) {
        const auto exchange =
            reduction.make({segment, rank, {{0, team.count}}, team.count, team.timeout_seconds});
        team.work(rank, *exchange, exchange->gradients());
        return std::string();
    };
    ranks.on_failure = [&] {
        segment.failed().store(1, std::memory_order_release);
        team.on_failure();
    };
    multiproc::run_process_group(team.workers, ranks);
}

void run_mpi(std::string_view /*name*/, const Team& team) {
    core::RunListener silence;
    multiproc::launch_ranks({team.workers, team.mpi_run, team.rank_arguments, team.timeout_seconds},
                            silence);
}

struct Runner {
    std::string_view mode;
    void (*run)(std::string_view reduction, const Team& team);
};

constexpr std::array kRunners{Runner{"threads", run_threads}, Runner{"procs", run_procs},
                              Runner{"mpi", run_mpi}};

}  // namespace

std::vector<TimedReduction> reductions() {
    std::vector<TimedReduction> all;
    for (const Runner& runner : kRunners) {
        for (const core::ExchangeTraits& traits : find_mode(runner.mode).reductions()) {
            all.push_back({runner.mode, traits});
        }
    }
    return all;
}

std::vector<std::string> usual_modes() {
    std::vector<std::string> usual;
    for (const Runner& runner : kRunners) {
        if (!find_mode(runner.mode).is_launched) usual.emplace_back(runner.mode);
    }
    return usual;
}

void run_team(const TimedReduction& reduction, const Team& team) {
    std::ranges::find(kRunners, reduction.mode, &Runner::mode)->run(reduction.traits.name, team);
}

statistics::Outcome<statistics::ExchangeModel> calibrate(
    std::string_view mode, std::string_view reduction,
    std::span<const statistics::ExchangeTime> times) {
    const auto traits = find_mode(mode).find_reduction(reduction);
    if (!traits) {
        return statistics::Outcome<statistics::ExchangeModel>::refused(
            fmt::format("no model of the reduction '{}'", reduction));
    }
    return statistics::ExchangeModel::calibrate(
        {traits->name, traits->signals, traits->moved_per_byte, traits->added_per_byte}, times);
}

}  // namespace dp::experiments::allreduce
