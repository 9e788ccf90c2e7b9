#include "experiments/allreduce/reductions.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "core/base/memory_block.hpp"
#include "experiments/modes.hpp"
#include "multiproc/hybrid/hybrid_exchange.hpp"
#include "multiproc/mpi/launcher.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/reductions.hpp"
#include "multiproc/segment_channels.hpp"
#include "multiproc/shared_segment.hpp"
#include "threaded/reductions.hpp"
#include "threaded/run_threads.hpp"

namespace dp::experiments::allreduce {
namespace {

/// `threads` ranks of `team`, from `first` on, as threads of this process.
void run_thread_team(const auto& make, std::size_t threads, std::size_t first, const Team& team) {
    threaded::SharedTeam shared(threads, {{0, team.count}}, team.timeout_seconds);
    // Mapped here and touched first by their ranks; they outlive the team.
    std::vector<core::FloatBlock> gradients;
    for (std::size_t i = 0; i < threads; ++i) gradients.emplace_back(team.count);
    threaded::run_team(
        threads,
        [&](std::size_t thread) {
            const auto exchange =
                make(threaded::TeamSetup{shared, thread, gradients[thread].span()});
            team.work(first + thread, *exchange, gradients[thread].span());
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
        run_thread_team(reduction.make, team.workers, 0, team);
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

void run_hybrid(std::string_view name, const Team& team) {
    const auto& reduction = core::find_reduction(multiproc::hybrid_reductions(), name);
    const std::size_t threads = team.threads_per_worker;
    const std::size_t processes = team.workers / threads;
    std::deque<multiproc::SharedSegment> segments;  // of the threads of one place in all processes
    for (std::size_t thread = 0; thread < threads; ++thread) {
        segments.emplace_back(multiproc::SegmentPlan{.world_size = processes,
                                                     .receivers = reduction.outer().receivers});
    }
    multiproc::GroupCallbacks group;
    group.work = [&](std::size_t process) {
        const auto make = [&](const threaded::TeamSetup& setup) {
            const multiproc::SharedSegment& segment = segments[setup.rank];
            return multiproc::make_hybrid_exchange(
                reduction,
                {.team = setup,
                 .threads = threads,
                 .processes = processes,
                 .channels = std::make_unique<multiproc::SegmentChannels>(segment, process),
                 .limits = {&segment.failed(), team.timeout_seconds, nullptr}});
        };
        run_thread_team(make, threads, process * threads, team);
        return std::string();
    };
    group.on_failure = [&] {
        for (const multiproc::SharedSegment& segment : segments) {
            segment.failed().store(1, std::memory_order_release);
        }
        team.on_failure();
    };
    multiproc::run_process_group(processes, group);
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
                              Runner{"hybrid", run_hybrid}, Runner{"mpi", run_mpi}};

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
        const Mode& mode = find_mode(runner.mode);
        if (!mode.is_launched && !mode.has_teams) usual.emplace_back(mode.name);
    }
    return usual;
}

void run_team(const TimedReduction& reduction, const Team& team) {
    std::ranges::find(kRunners, reduction.mode, &Runner::mode)->run(reduction.traits.name, team);
}

}  // namespace dp::experiments::allreduce
