#include "threaded/run_threads.hpp"

#include <omp.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/affinity.hpp"
#include "core/base/error.hpp"
#include "core/base/memory_block.hpp"
#include "core/base/wait.hpp"
#include "core/train/bind_ranks.hpp"
#include "core/train/replica.hpp"
#include "core/train/worker.hpp"
#include "threaded/reductions.hpp"

namespace dp::threaded {
namespace {

/// The failure to report: the first that is not only the echo of another.
class FirstFailure {
public:
    void record(std::exception_ptr error, bool echo) {
        const std::lock_guard lock(mutex_);
        if (error_ == nullptr || (echo_ && !echo)) {
            error_ = std::move(error);
            echo_ = echo;
        }
    }
    void rethrow() {
        const std::lock_guard lock(mutex_);
        if (error_ != nullptr) std::rethrow_exception(error_);
    }

private:
    std::mutex mutex_;
    std::exception_ptr error_;  // guarded by mutex_
    bool echo_ = false;         // guarded by mutex_
};

/// What the team runs; one atomic orders it with the threads of the region for tools that cannot
/// see libgomp's own ordering.
struct Team {
    const std::function<void(std::size_t)>& body;
    const std::function<void()>& on_failure;
    const std::function<void(const core::Error&)>& leave;
    std::size_t threads;
    FirstFailure failure;
    std::atomic<bool> ready{false};        // set before the region opens: releases the fields above
    std::atomic<std::size_t> finished{0};  // ranks whose body has ended
    std::atomic<bool> leaving{false};      // set by the first rank that finds another stuck
    std::atomic<std::size_t> left{0};      // ranks that use this no more; acquired by the caller
};

/// A parallel region ends when all its threads do, so one that stands still would keep the others
/// for ever: a process cannot end a thread, only itself.
/// `given`: the threads that the region really has.
void leave_if_stuck(Team& team, std::size_t given, const core::Error& error) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (team.finished.load(std::memory_order_acquire) != given) {
        if (std::chrono::steady_clock::now() > deadline) {
            if (team.leaving.exchange(true)) return;
            if (team.leave) team.leave(error);
            std::_Exit(static_cast<int>(error.code()));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

void run_rank(Team& team, std::size_t rank, std::size_t given) {
    (void)team.ready.load(std::memory_order_acquire);
    core::restore_cpus();  // OMP_PROC_BIND binds threads alone: ranks of procs have all CPUs
    std::optional<core::Error> failure;
    try {
        if (given != team.threads) {
            throw core::Error(core::ExitCode::kResources,
                              "OpenMP gave {} threads of {}: raise OMP_THREAD_LIMIT and unset "
                              "OMP_DYNAMIC, or use a smaller -n",
                              given, team.threads);
        }
        // oneDNN asks OpenMP how many threads it may use, and a primitive remembers the answer.
        omp_set_num_threads(1);
        team.body(rank);
    } catch (const core::PeerFailed&) {
        team.failure.record(std::current_exception(), /*echo=*/true);
    } catch (...) {
        failure = core::as_error(std::current_exception());
        team.failure.record(std::current_exception(), /*echo=*/false);
        team.on_failure();
    }
    team.finished.fetch_add(1, std::memory_order_release);
    if (failure) leave_if_stuck(team, given, *failure);
    team.left.fetch_add(1, std::memory_order_release);
}

/// Only opens the region: the compiler's hand-over of `team` to the threads is ordered by libgomp,
/// which the thread sanitizer does not see.
__attribute__((no_sanitize("thread"))) void open_region(Team& team) {
    const int threads = static_cast<int>(team.threads);
#pragma omp parallel default(none) shared(team) num_threads(threads)
    run_rank(team, static_cast<std::size_t>(omp_get_thread_num()),
             static_cast<std::size_t>(omp_get_num_threads()));
}

}  // namespace

void run_team(std::size_t threads, const std::function<void(std::size_t)>& body,
              const std::function<void()>& on_failure,
              const std::function<void(const core::Error&)>& leave) {
    Team team{body, on_failure, leave, threads, {}, {}, {}, {}, {}};
    team.ready.store(true, std::memory_order_release);
    open_region(team);
    (void)team.left.load(std::memory_order_acquire);
    team.failure.rethrow();
}

core::RunResult run_threads(const core::Job& job) {
    const std::size_t workers = job.config.workers;
    const Reduction& reduction = core::find_reduction(reductions(), job.config.reduction);
    core::bind_ranks(job, 0);
    core::Replica replica(job);
    const core::NetworkLayout& layout = replica.layout;
    SharedTeam team(workers, std::move(replica.buckets), job.config.timeout_seconds,
                    job.config.wait);
    const core::Range all{0, replica.parameters.size()};
    const core::FloatBlock state = core::make_optimizer_state(job, {&all, 1});
    core::RunResult result;  // rank 0's

    // Mapped here and touched first by their workers. They outlive the team, since a rank that
    // fails must not take memory away that another still reads.
    std::vector<core::PlayedRanks> played;
    const std::size_t turns = job.config.ranks_per_worker();
    for (std::size_t rank = 0; rank < workers; ++rank) {
        played.emplace_back(layout, rank * turns, turns);
    }

    run_team(
        workers,
        [&](std::size_t rank) {
            core::bind_ranks(job, rank);
            played[rank].fill(job, layout);
            const auto exchange = reduction.make({team, rank, played[rank].gradients()});
            const core::WorkerBlocks blocks{replica.parameters.span(), state.span(),
                                            played[rank].blocks(),     job.config.world_size(),
                                            /*shared=*/true,
                                            /*owns=*/rank == 0};
            core::RunResult own = core::run_worker(job, layout, blocks, *exchange);
            if (rank == 0) result = std::move(own);
        },
        [&] { team.failed.store(1, std::memory_order_release); }, job.leave);

    return result;
}

}  // namespace dp::threaded
