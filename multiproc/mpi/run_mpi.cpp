#include "multiproc/mpi/run_mpi.hpp"

#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "multiproc/mpi/identity.hpp"
#include "multiproc/mpi/launcher.hpp"
#include "multiproc/mpi/load_module.hpp"
#include "multiproc/mpi/place.hpp"
#include "multiproc/mpi/reductions.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/replica_rank.hpp"

namespace dp::multiproc {
namespace {

using core::Error;
using core::ExitCode;

/// Calls `expire` on a thread of its own once `seconds` have passed, unless it is gone by then: for
/// calls of MPI that wait for all ranks and have no deadline.
class Deadline {
public:
    Deadline(double seconds, std::function<void()> expire)
        : thread_([seconds, expire = std::move(expire)](const std::stop_token& stop) {
              std::mutex mutex;
              std::condition_variable_any stopped;
              std::unique_lock lock(mutex);
              stopped.wait_for(lock, stop, std::chrono::duration<double>(seconds),
                               [] { return false; });
              if (!stop.stop_requested()) expire();
          }) {}

private:
    std::jthread thread_;
};

/// One rank's worker, in the process that MPI knows.
class MpiWorker {
public:
    MpiWorker(const core::Job& job, RankPosition& position,
              std::function<void(const Error& error)> leave)
        : job_(job),
          position_(position),
          reduction_(core::find_reduction(mpi_reductions(), job.config.reduction)),
          leave_(std::move(leave)) {}

    /// On rank 0 the results of all, else an empty one.
    core::RunResult run() {
        open();
        core::RunResult result = train();
        if (!share_clock(identities_)) leave_times_out(result);
        exchange_.reset();
        const Deadline deadline = until("leave MPI");
        world_->close();
        return result;
    }

private:
    core::RunResult train() try {
        return train_replica(
            job_, world_->rank(),
            position_, [this](std::vector<core::Range> buckets, std::size_t size) -> auto& {
                return make_exchange(std::move(buckets), size);
            });
    } catch (const StalledRank& error) {
        if (error.rank()) {
            const auto rank = static_cast<std::uint32_t>(*error.rank());
            position_.blamed.store(rank + 1, std::memory_order_relaxed);
        }
        throw;
    }

    [[nodiscard]] Deadline until(const char* what) {
        return {job_.config.timeout_seconds, [this, what] {
                    leave_(Error(ExitCode::kStalled,
                                 "the workers have stalled: they did not all {} within {} s: give "
                                 "slow ones more time with --timeout",
                                 what, job_.config.timeout_seconds));
                }};
    }

    void open() {
        const Deadline deadline = until("start MPI");
        world_ = open_mpi_world();
        if (world_->world_size() == job_.config.workers) return;
        throw Error(ExitCode::kUsage,
                    "the launcher has started {} ranks, and the run has {} workers: leave -n out, "
                    "or give dp_compare and the launcher the same",
                    world_->world_size(), job_.config.workers);
    }

    core::ChannelExchange& make_exchange(std::vector<core::Range> buckets, std::size_t size) {
        exchange_ = reduction_.make(*world_, std::move(buckets), size,
                                    {nullptr, job_.config.timeout_seconds, &position_.waiting},
                                    job_.config.update);
        identities_ = gather_identities(own_identity(job_), world_->world_size(), *exchange_);
        check_same(identities_);
        return *exchange_;
    }

    /// What compares times of several machines, each of which has a clock of its own.
    static void leave_times_out(core::RunResult& result) {
        for (core::WorkerReport& worker : result.workers) {
            worker.trace = {};
            for (core::WorkerEpoch& epoch : worker.epochs) {
                epoch.late_at_exchange = epoch.late_at_publish = {};
            }
        }
    }

    const core::Job& job_;
    RankPosition& position_;
    const MpiReduction& reduction_;
    const std::function<void(const Error& error)> leave_;
    std::unique_ptr<MpiWorld> world_;
    std::unique_ptr<core::ChannelExchange> exchange_;
    std::vector<RankIdentity> identities_;
};

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

core::RunResult run_rank(const core::Job& job, const MpiPlace& place) {
    core::find_reduction(mpi_reductions(), job.config.reduction);
    const SharedSegment segment({.world_size = 1});  // where the worker is, for its supervisor
    std::function<void(const Error&)> leave;
    GroupCallbacks callbacks;
    callbacks.name = [&](std::size_t) {
        return fmt::format("worker {} on {}", place.rank, host_name());
    };
    callbacks.on_start = [&](std::function<void(const Error&)> given) { leave = std::move(given); };
    callbacks.work = [&](std::size_t) {
        return nlohmann::ordered_json(MpiWorker(job, segment.position(0), leave).run()).dump();
    };
    callbacks.describe = [&](std::size_t) { return describe(segment.position(0)); };
    try {
        const auto reports = run_process_group(1, callbacks);
        return nlohmann::ordered_json::parse(reports.front()).get<core::RunResult>();
    } catch (const WorkerFailure& failure) {
        if (failure.code() != ExitCode::kStalled) {
            throw WorkerFailure(failure.code(), failure.what(), place.rank, failure.pid(),
                                failure.signal());
        }
        // The worker only tells who has stalled, if it could find out.
        const auto blamed = segment.position(0).blamed.load(std::memory_order_relaxed);
        throw WorkerFailure(failure.code(), failure.what(),
                            blamed == 0 ? std::nullopt : std::optional<std::size_t>(blamed - 1),
                            failure.pid(), failure.signal());
    } catch (const Error& error) {
        if (error.code() != ExitCode::kTerminated) throw;
        throw Error(ExitCode::kTerminated,
                    "the launcher has ended worker {}: the run is incomplete", place.rank);
    }
}

}  // namespace

core::RunResult run_mpi(const core::Job& job) {
    const auto place = mpi_place();
    if (place) return run_rank(job, *place);
    const Launch launch{job.config.workers, job.config.mpi_run, job.rank_arguments,
                        job.config.timeout_seconds};
    const std::string result = launch_ranks(launch, *job.listener);
    return nlohmann::ordered_json::parse(result).get<core::RunResult>();
}

void check_mpi(const core::RunConfig& config) {
    require_mpi_module();
    if (!mpi_place()) check_launcher(config.mpi_run);
}

}  // namespace dp::multiproc
