// What the machine can do with N workers that have nothing to do with each other: N serial runs at
// once. No design of N workers can be expected to lose less to shared caches, memory and clock.
#pragma once

#include <cstddef>
#include <span>

#include "experiments/results/run.hpp"
#include "experiments/sweep/run_loop.hpp"

namespace dp::experiments {

/// Fewer repetitions than these say nothing of how sure a cause is, so that a ceiling, which takes
/// as long as a run of N workers, would not pay.
inline constexpr std::size_t kFewestForCeiling = 3;

/// Whether `run` is the last of its N and repetition among `runs`, and a ceiling is to be measured
/// for them: in a folder that has none yet, of several workers that have a CPU each and one of a
/// design to compare them with. Runs with a fault, shards or ranks on other machines have none.
bool wants_ceiling(const SweepSetting& setting, std::span<const Run> runs, const Run& run);

/// Measures it with the batches and steps of one worker of `run`, and writes it. Throws what a run
/// fails with, and Error(kData).
void measure_ceiling(const SweepSetting& setting, const Run& run);

}  // namespace dp::experiments
