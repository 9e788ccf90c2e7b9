// All that a worker needs to know about its run. Made once, before any worker starts; workers only
// read it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/range.hpp"
#include "core/data/batch_source.hpp"
#include "core/measure/phase_clock.hpp"
#include "core/measure/usage.hpp"
#include "core/nn/model.hpp"
#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"

namespace dp::core {

struct Dataset;
struct StateDict;

/// A worker enters a phase: the place of a progress report.
struct WorkerPosition {
    std::size_t rank = 0;   // the worker's
    std::size_t epoch = 0;  // from 0
    std::size_t step = 0;   // in the epoch, from 0
    Phase phase = Phase::kOther;
    Range played = {};  // ranks whose phase it is: whose turn it is, or all that the worker plays
};

/// Hears of the run as it goes on. Called in the worker's own process, on its thread:
/// on_worker_start and on_phase of several ranks at once where they are threads.
class RunListener {
public:
    virtual ~RunListener() = default;
    virtual void on_worker_start(std::size_t /*rank*/, int /*pid*/) {}
    virtual void on_phase(const WorkerPosition& /*position*/) {}
    /// Rank 0 alone: `step` of `steps` is done and `images` (of all ranks) have been trained on in
    /// this epoch.
    virtual void on_step(std::size_t /*epoch*/, std::size_t /*step*/, std::size_t /*steps*/,
                         std::size_t /*images*/) {}
    /// Rank 0 alone.
    virtual void on_epoch(std::size_t /*epoch*/, const EpochResult& /*result*/) {}
};

/// Passes everything on to the next listener, which must outlive it.
class ListenerInFront : public RunListener {
public:
    explicit ListenerInFront(RunListener& next) : next_(next) {}

    void on_worker_start(std::size_t rank, int pid) override { next_.on_worker_start(rank, pid); }
    void on_phase(const WorkerPosition& position) override { next_.on_phase(position); }
    void on_step(std::size_t epoch, std::size_t step, std::size_t steps,
                 std::size_t images) override {
        next_.on_step(epoch, step, steps, images);
    }
    void on_epoch(std::size_t epoch, const EpochResult& result) override {
        next_.on_epoch(epoch, result);
    }

private:
    RunListener& next_;
};

/// The share of rank `rank` of `world_size` ranks.
using MakeSource =
    std::function<std::unique_ptr<BatchSource>(std::size_t rank, std::size_t world_size)>;

struct Job {
    RunConfig config;
    const ModelSpec* model = nullptr;
    MakeSource training;
    MakeSource evaluation;
    const Dataset* data = nullptr;       // that both draw from; null: they make their images
    const StateDict* initial = nullptr;  // null: from the seed
    RunListener* listener = nullptr;     // never null in a run; outlives it
    /// Ends this process at once with an error that its supervisor then tells: for a backend with
    /// a worker that cannot be ended otherwise. May be empty.
    std::function<void(const Error& error)> leave;
    /// CPUs that ranks are bound to: rank r to cpus[r % size]. Empty: to none.
    std::vector<int> cpus;
    /// Arguments with which this program, started anew, does the work of one rank of the run: for a
    /// backend whose ranks another program starts. May be empty.
    std::vector<std::string> rank_arguments;
    /// Memory of the process that waits for the workers, read by rank 0 while all of them still
    /// hold theirs: a page that they share counts as a part of a page. May be empty.
    std::function<std::optional<ProcessMemory>()> supervisor_memory;
    /// Where workers are on machines with a clock each: brings all times of `result` to rank 0's
    /// clock, or leaves them out. Called once in every process, after training; `result` has all
    /// reports on rank 0 and is empty on the others. May be empty.
    std::function<void(RunResult& result)> align_times;
    std::chrono::steady_clock::time_point started;  // when the run began, before its workers did
};

}  // namespace dp::core
