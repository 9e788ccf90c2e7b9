// All that a worker needs to know about its run. Made once, before any worker starts; workers only
// read it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/error.hpp"
#include "core/data/batch_source.hpp"
#include "core/measure/phase_clock.hpp"
#include "core/nn/model.hpp"
#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"

namespace dp::core {

struct StateDict;

/// A worker enters a phase: the place of a progress report, and of a fault that a test injects.
struct WorkerPosition {
    std::size_t rank = 0;
    std::size_t epoch = 0;  // from 0
    std::size_t step = 0;   // in the epoch, from 0
    Phase phase = Phase::kOther;
};

/// Hears of the run as it goes on. Called in the worker's own process, on its thread:
/// on_worker_start and on_phase of several ranks at once where they are threads.
class RunListener {
public:
    virtual ~RunListener() = default;
    virtual void on_worker_start(std::size_t /*rank*/) {}
    virtual void on_phase(const WorkerPosition& /*position*/) {}
    /// Rank 0 alone: `step` of `steps` is done and `images` (of all ranks) have been trained on in
    /// this epoch.
    virtual void on_step(std::size_t /*epoch*/, std::size_t /*step*/, std::size_t /*steps*/,
                         std::size_t /*images*/) {}
    /// Rank 0 alone.
    virtual void on_epoch(std::size_t /*epoch*/, const EpochResult& /*result*/) {}
};

using MakeSource = std::function<std::unique_ptr<BatchSource>(std::size_t rank)>;

struct Job {
    RunConfig config;
    const ModelSpec* model = nullptr;
    MakeSource training;  // for rank < config.workers
    MakeSource evaluation;
    const StateDict* initial = nullptr;  // null: from the seed
    RunListener* listener = nullptr;     // never null in a run; outlives it
    /// Ends this process at once with an error that its supervisor then tells: for a backend with
    /// a worker that cannot be ended otherwise. May be empty.
    std::function<void(const Error& error)> leave;
    std::chrono::steady_clock::time_point started;  // when the run began, before its workers did
};

}  // namespace dp::core
