// The runs of a sweep, one after the other: what is told and kept of each, and of all together.
#pragma once

#include <vector>

#include "core/checkpoint/checkpoint.hpp"
#include "core/data/dataset.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/results/run.hpp"
#include "experiments/sweep/console.hpp"
#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// What all runs share; all of it outlives them.
struct SweepSetting {
    const Request& request;
    const std::vector<core::RunConfig>& configurations;
    const core::Dataset& data;
    const Machine& machine;
    const core::StateDict* initial = nullptr;  // null: from the seed
    ConsoleOptions console;
    StartUp startup;
};

/// Runs every configuration so often as the request says, but for those that --resume finds done.
/// Throws what a run failed with, Error(kInterrupted, kTerminated), and Error(kVerification) when
/// runs that promise equal parameters have different ones; what had been measured is kept.
void run_all(const SweepSetting& setting);

}  // namespace dp::experiments
