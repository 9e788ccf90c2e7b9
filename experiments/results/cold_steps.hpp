// The times of a run's steps, and which of them are cold.
#pragma once

#include <vector>

#include "experiments/results/run.hpp"

namespace dp::experiments {

/// Seconds of the steps that are kept, in their order over the epochs, each the longest of all
/// workers'; empty where none are kept.
std::vector<double> step_seconds(const core::RunResult& result);

/// Finds the run's cold steps (statistics::find_warm_up() of its first epoch's), and notes them in
/// its result.
void note_cold_steps(Run& run);

}  // namespace dp::experiments
