#include "multiproc/mpi/run_mpi.hpp"

#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "core/train/bind_ranks.hpp"
#include "multiproc/mpi/clocks.hpp"
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

/// The worker of one process, in the process that MPI knows.
class MpiWorker {
public:
    MpiWorker(const core::Job& job, const SharedSegment& segment, const TrainInWorld& train,
              std::function<void(const Error& error)> leave)
        : job_(job), segment_(segment), train_(train), leave_(std::move(leave)) {}

    /// On rank 0 the results of all, else an empty one.
    core::RunResult run() {
        open();
        core::RunResult result = train();
        const Deadline deadline = until("leave MPI");
        world_->close();
        return result;
    }

private:
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
        if (world_->world_size() != processes_of(job_.config)) {
            throw Error(ExitCode::kUsage,
                        "the launcher has started {} processes, and the run has {}: leave -n out, "
                        "or give dp_compare and the launcher the same",
                        world_->world_size(), processes_of(job_.config));
        }
        world_->set_name(
            [config = job_.config](std::size_t process) { return process_name(config, process); });
        const std::vector<RankIdentity> all = gather_identities(own_identity(job_), *world_);
        check_same(all);
        has_clocks_ = !share_clock(all);
    }

    core::RunResult train() try {
        core::Job job = job_;
        std::vector<ClockReading> start;
        if (has_clocks_) {
            const core::WaitLimits limits{nullptr, job_.config.timeout_seconds, nullptr,
                                          job_.config.wait};
            start = world_->read_clocks(limits);
            job.align_times = [this, limits, &start](core::RunResult& result) {
                const std::vector<ClockReading> end = world_->read_clocks(limits);
                if (end.empty()) return;
                align_times(result, start, end, job_.config.threads_per_worker);
            };
        }
        return train_(job, *world_, segment_, leave_);
    } catch (const StalledRank& error) {
        if (error.rank()) {
            const auto rank = static_cast<std::uint32_t>(*error.rank());
            segment_.position(0).blamed.store(rank + 1, std::memory_order_relaxed);
        }
        throw;
    }

    const core::Job& job_;
    const SharedSegment& segment_;
    const TrainInWorld& train_;
    const std::function<void(const Error& error)> leave_;
    std::unique_ptr<MpiWorld> world_;
    bool has_clocks_ = false;  // several, one for each machine
};

/// Trains the one rank of a process.
core::RunResult train_rank(const core::Job& job, MpiWorld& world, const SharedSegment& segment,
                           const std::function<void(const Error&)>& /*leave*/) {
    const MpiReduction& reduction = core::find_reduction(mpi_reductions(), job.config.reduction);
    core::bind_ranks(job, world.rank());
    RankPosition& position = segment.position(0);
    std::unique_ptr<core::ChannelExchange> exchange;
    return train_replica(
        job, world.rank(), position,
        [&](std::vector<core::Range> buckets, std::size_t size) -> core::ChannelExchange& {
            exchange = reduction.make(
                world, std::move(buckets), size,
                {nullptr, job.config.timeout_seconds, &position.waiting, job.config.wait},
                job.config.update);
            return *exchange;
        });
}

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

core::RunResult run_process(const core::Job& job, const MpiPlace& place,
                            const TrainInWorld& train) {
    // Where the worker's threads are, for its supervisor.
    const SharedSegment segment({.world_size = job.config.threads_per_worker});
    std::function<void(const Error&)> leave;
    GroupCallbacks callbacks;
    callbacks.name = [&](std::size_t) {
        return fmt::format("{} on {}", process_name(job.config, place.rank), host_name());
    };
    callbacks.on_start = [&](std::function<void(const Error&)> given) { leave = std::move(given); };
    callbacks.work = [&](std::size_t) {
        return nlohmann::ordered_json(MpiWorker(job, segment, train, leave).run()).dump();
    };
    callbacks.describe = [&](std::size_t) { return describe(segment.position(0)); };
    const auto rank_of = [&](std::size_t process) -> std::optional<std::size_t> {
        if (job.config.threads_per_worker > 1) return std::nullopt;  // a process is no rank
        return process;
    };
    try {
        const auto reports = run_process_group(1, callbacks);
        return nlohmann::ordered_json::parse(reports.front()).get<core::RunResult>();
    } catch (const WorkerFailure& failure) {
        std::optional<std::size_t> rank = rank_of(place.rank);
        if (failure.code() == ExitCode::kStalled) {
            // The worker only tells who has stalled, if it could find out.
            const auto blamed = segment.position(0).blamed.load(std::memory_order_relaxed);
            rank = blamed == 0 ? std::nullopt : rank_of(blamed - 1);
        }
        throw WorkerFailure(failure.code(), failure.what(), rank, failure.pid(), failure.signal());
    } catch (const Error& error) {
        if (error.code() != ExitCode::kTerminated) throw;
        throw Error(ExitCode::kTerminated, "the launcher has ended {}: the run is incomplete",
                    process_name(job.config, place.rank));
    }
}

}  // namespace

std::size_t processes_of(const core::RunConfig& config) {
    return config.workers / config.threads_per_worker;
}

std::string process_name(const core::RunConfig& config, std::size_t process) {
    const std::size_t threads = config.threads_per_worker;
    if (threads == 1) return fmt::format("worker {}", process);
    return fmt::format("the process of workers {} to {}", process * threads,
                       (process + 1) * threads - 1);
}

core::RunResult run_launched(const core::Job& job, const TrainInWorld& train) {
    if (const auto place = mpi_place()) return run_process(job, *place, train);
    const Launch launch{processes_of(job.config), job.config.mpi_run, job.rank_arguments,
                        job.config.timeout_seconds};
    const std::string result = launch_ranks(launch, *job.listener);
    return nlohmann::ordered_json::parse(result).get<core::RunResult>();
}

core::RunResult run_mpi(const core::Job& job) { return run_launched(job, train_rank); }

void check_mpi(const core::RunConfig& config) {
    require_mpi_module();
    if (!mpi_place()) check_launcher(config.mpi_run);
}

}  // namespace dp::multiproc
