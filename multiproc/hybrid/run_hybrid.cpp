#include "multiproc/hybrid/run_hybrid.hpp"

#include <algorithm>
#include <deque>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "core/exchange/reduction_table.hpp"
#include "multiproc/hybrid/hybrid_exchange.hpp"
#include "multiproc/hybrid/team_replica.hpp"
#include "multiproc/mpi/mpi_world.hpp"
#include "multiproc/mpi/run_mpi.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/replica_rank.hpp"
#include "multiproc/segment_channels.hpp"

namespace dp::multiproc {
namespace {

/// The process of the thread that the others wait for.
std::size_t find_stalled(const std::deque<SharedSegment>& segments, std::size_t reporter) {
    std::pair<Standing, std::size_t> last{standing_of(segments[0].position(0), reporter == 0), 0};
    for (const SharedSegment& segment : segments) {
        for (std::size_t process = 0; process < segment.world_size(); ++process) {
            const bool reports = process == reporter;
            last = std::min(last, {standing_of(segment.position(process), reports), process});
        }
    }
    return last.second;
}

// How much longer threads wait for each other than for other processes. It takes those waits some
// seconds to find out which process stands still, and a thread of its own process must not be named
// before.
constexpr double kRollCallSeconds = 5.0;

core::RunResult train_in_world(const core::Job& job, MpiWorld& world, const SharedSegment& segment,
                               const std::function<void(const core::Error&)>& leave) {
    const auto& reduction = core::find_reduction(hybrid_reductions(), job.config.reduction);
    const TeamPlace place{
        .process = world.rank(),
        .position = [&](std::size_t thread) -> RankPosition& { return segment.position(thread); },
        .make_channels =
            [&](std::size_t thread) {
                return world.make_channels(reduction.outer().receivers, thread);
            },
        .failed = {},
        .team_timeout_seconds = job.config.timeout_seconds + kRollCallSeconds};
    return train_team(job, place, leave);
}

}  // namespace

core::RunResult run_hybrid_mpi(const core::Job& job) { return run_launched(job, train_in_world); }

core::RunResult run_hybrid(const core::Job& job) {
    const std::size_t threads = job.config.threads_per_worker;
    const std::size_t processes = job.config.workers / threads;
    DP_CHECK(processes * threads, ==, job.config.workers);
    const auto& reduction = core::find_reduction(hybrid_reductions(), job.config.reduction);
    std::deque<SharedSegment> segments;
    for (std::size_t thread = 0; thread < threads; ++thread) {
        segments.emplace_back(
            SegmentPlan{.world_size = processes, .receivers = reduction.outer().receivers});
    }
    GroupCallbacks callbacks;
    std::function<void(const core::Error&)> leave;
    callbacks.name = [&](std::size_t process) { return process_name(job.config, process); };
    callbacks.on_start = [&](std::function<void(const core::Error&)> end) {
        leave = std::move(end);
    };
    callbacks.work = [&](std::size_t process) {
        const TeamPlace place{
            .process = process,
            .position = [&](std::size_t thread) -> RankPosition& {
                return segments[thread].position(process);
            },
            .make_channels =
                [&](std::size_t thread) {
                    return std::make_unique<SegmentChannels>(segments[thread], process);
                },
            .failed = [&](std::size_t thread) { return &segments[thread].failed(); },
            .team_timeout_seconds = job.config.timeout_seconds};
        const core::RunResult result = train_team(job, place, leave);
        return process == 0 ? nlohmann::ordered_json(result).dump() : std::string();
    };
    callbacks.on_failure = [&] {
        for (SharedSegment& segment : segments) {
            segment.failed().store(1, std::memory_order_release);
        }
    };
    callbacks.describe = [&](std::size_t process) {
        return describe(segments.front().position(process));
    };
    callbacks.find_stalled = [&](std::size_t process) { return find_stalled(segments, process); };
    try {
        const std::vector<std::string> reports = run_process_group(processes, callbacks);
        return nlohmann::ordered_json::parse(reports.front()).get<core::RunResult>();
    } catch (const WorkerFailure& failure) {
        // A process is no rank; its message names those that it ran.
        throw WorkerFailure(failure.code(), failure.what(), std::nullopt, failure.pid(),
                            failure.signal());
    }
}

}  // namespace dp::multiproc
