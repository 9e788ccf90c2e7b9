#include "multiproc/hybrid/team_replica.hpp"

#include <utility>
#include <vector>

#include "core/exchange/reduction_table.hpp"
#include "core/train/bind_ranks.hpp"
#include "core/train/replica.hpp"
#include "core/train/worker.hpp"
#include "multiproc/hybrid/hybrid_exchange.hpp"
#include "multiproc/replica_rank.hpp"
#include "threaded/run_threads.hpp"

namespace dp::multiproc {
namespace {

/// One process: its replica, its team, and the ends of its channels.
class Process {
public:
    Process(const core::Job& job, const TeamPlace& place)
        : job_(job),
          place_(place),
          threads_(job.config.threads_per_worker),
          replica_(job),
          all_{0, replica_.parameters.size()},
          state_(core::make_optimizer_state(job, {&all_, 1})),
          team_(threads_, std::move(replica_.buckets), place.team_timeout_seconds,
                job.config.wait) {
        const std::size_t turns = job.config.ranks_per_worker();
        for (std::size_t thread = 0; thread < threads_; ++thread) {
            played_.emplace_back(replica_.layout, (place.process * threads_ + thread) * turns,
                                 turns);
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
        core::bind_ranks(job_, place_.process * threads_ + thread);
        played_[thread].fill(job_, replica_.layout);
        const auto exchange = make_exchange(thread);
        const core::WorkerBlocks blocks{replica_.parameters.span(),
                                        state_.span(),
                                        played_[thread].blocks(),
                                        job_.config.world_size(),
                                        /*shared=*/true,
                                        /*owns=*/thread == 0};
        PositionListener listener(*job_.listener, place_.position(thread));
        core::Job job = job_;
        job.listener = &listener;
        if (thread != 0) job.align_times = {};  // once for the process
        core::RunResult own = core::run_worker(job, replica_.layout, blocks, *exchange);
        if (place_.process == 0 && thread == 0) result_ = std::move(own);
    } catch (const core::PeerFailed&) {
        fail_team();  // it may be another process's rank that has failed
        throw;
    }

    std::unique_ptr<core::HierarchicalExchange> make_exchange(std::size_t thread) {
        return make_hybrid_exchange(
            core::find_reduction(hybrid_reductions(), job_.config.reduction),
            {.team = {team_, thread, played_[thread].gradients()},
             .threads = threads_,
             .processes = job_.config.workers / threads_,
             .channels = place_.make_channels(thread),
             .limits = {place_.failed ? place_.failed(thread) : &team_.failed,
                        job_.config.timeout_seconds, &place_.position(thread).waiting,
                        job_.config.wait}});
    }

    void fail_team() { team_.failed.store(1, std::memory_order_release); }

    const core::Job& job_;
    const TeamPlace& place_;
    const std::size_t threads_;
    core::Replica replica_;
    const core::Range all_;
    const core::FloatBlock state_;
    threaded::SharedTeam team_;
    std::vector<core::PlayedRanks> played_;
    core::RunResult result_;
};

}  // namespace

core::RunResult train_team(const core::Job& job, const TeamPlace& place,
                           const std::function<void(const core::Error&)>& leave) {
    core::bind_ranks(job, place.process * job.config.threads_per_worker);
    return Process(job, place).run(leave);
}

}  // namespace dp::multiproc
