#include "multiproc/hybrid/run_hybrid.hpp"

#include <algorithm>
#include <deque>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "core/train/model_state.hpp"
#include "core/train/replica.hpp"
#include "core/train/worker.hpp"
#include "multiproc/hybrid/hybrid_exchange.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/replica_rank.hpp"
#include "multiproc/segment_channels.hpp"
#include "threaded/run_threads.hpp"

namespace dp::multiproc {
namespace {

/// One process: its replica, its team, and the ends of its channels. segments[t] joins the threads
/// of place t of all processes.
class Process {
public:
    Process(const core::Job& job, std::deque<SharedSegment>& segments, std::size_t process)
        : job_(job),
          segments_(segments),
          process_(process),
          threads_(segments.size()),
          replica_(job),
          all_{0, replica_.parameters.size()},
          state_(core::make_optimizer_state(job, {&all_, 1})),
          team_(threads_, std::move(replica_.buckets), job.config.timeout_seconds) {
        for (std::size_t thread = 0; thread < threads_; ++thread) {
            gradients_.emplace_back(replica_.layout.parameters.size());
            statistics_.emplace_back(replica_.layout.statistics.size());
        }
    }

    /// Returns the run's result in the first process.
    core::RunResult run(const std::function<void(const core::Error&)>& leave) {
        threaded::run_team(
            threads_, [this](std::size_t thread) { run_thread(thread); }, [this] { fail_team(); },
            leave);
        return std::move(result_);
    }

private:
    void run_thread(std::size_t thread) try {
        core::fill_statistics(job_, replica_.layout, statistics_[thread].span());
        const auto exchange = make_exchange(thread);
        const std::size_t rank = process_ * threads_ + thread;
        const core::WorkerBlocks blocks{
            replica_.parameters.span(),
            state_.span(),
            {{rank, gradients_[thread].span(), statistics_[thread].span()}},
            job_.config.workers,
            /*shared=*/true,
            /*owns=*/thread == 0};
        PositionListener listener(*job_.listener, segments_[thread].position(process_));
        core::Job job = job_;
        job.listener = &listener;
        core::RunResult own = core::run_worker(job, replica_.layout, blocks, *exchange);
        if (rank == 0) result_ = std::move(own);
    } catch (const core::PeerFailed&) {
        fail_team();  // it may be another process's rank that has failed
        throw;
    }

    std::unique_ptr<core::HierarchicalExchange> make_exchange(std::size_t thread) {
        const SharedSegment& segment = segments_[thread];
        return make_hybrid_exchange(
            {.team = {team_, thread, gradients_[thread].span()},
             .threads = threads_,
             .processes = segment.world_size(),
             .channels = std::make_unique<SegmentChannels>(segment, process_),
             .limits = {&segment.failed(), job_.config.timeout_seconds,
                        &segment.position(process_).waiting}});
    }

    void fail_team() { team_.failed.store(1, std::memory_order_release); }

    const core::Job& job_;
    std::deque<SharedSegment>& segments_;
    const std::size_t process_;
    const std::size_t threads_;
    core::Replica replica_;
    const core::Range all_;
    const core::FloatBlock state_;
    threaded::SharedTeam team_;
    std::vector<core::FloatBlock> gradients_, statistics_;
    core::RunResult result_;
};

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

}  // namespace

core::RunResult run_hybrid(const core::Job& job) {
    const std::size_t threads = job.config.threads_per_worker;
    const std::size_t processes = job.config.workers / threads;
    DP_CHECK(processes * threads, ==, job.config.workers);
    std::deque<SharedSegment> segments;
    for (std::size_t thread = 0; thread < threads; ++thread) {
        segments.emplace_back(SegmentPlan{.world_size = processes});
    }
    GroupCallbacks callbacks;
    std::function<void(const core::Error&)> leave;
    callbacks.name = [threads](std::size_t process) {
        return fmt::format("the process of workers {} to {}", process * threads,
                           (process + 1) * threads - 1);
    };
    callbacks.on_start = [&](std::function<void(const core::Error&)> end) {
        leave = std::move(end);
    };
    callbacks.work = [&](std::size_t process) {
        const core::RunResult result = Process(job, segments, process).run(leave);
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
