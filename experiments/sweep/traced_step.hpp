// Which step of a traced run a sweep's timeline shows.
#pragma once

#include <span>

#include "core/measure/trace.hpp"
#include "core/train/run_config.hpp"
#include "experiments/results/run.hpp"

namespace dp::experiments {

/// Of the steps `traced` of `result` the one that takes nearest to the median step of the `runs` of
/// `config`, and its neighbours; the first ones where steps were not kept.
core::StepRange steps_to_show(std::span<const Run> runs, const core::RunConfig& config,
                              const core::RunResult& result, const core::StepRange& traced);

}  // namespace dp::experiments
