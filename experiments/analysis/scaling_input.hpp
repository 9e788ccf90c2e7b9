// Results of runs and of the all-reduce benchmark in the shapes that the models of scaling take:
// for predictions and for reports.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "core/train/run_result.hpp"
#include "experiments/allreduce/table.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/statistics/exchange_model.hpp"
#include "experiments/statistics/step_model.hpp"

namespace dp::experiments::analysis {

/// What allreduce::write_rows() wrote. Throws Error(kData) that names the file and what is wrong
/// with it.
std::vector<allreduce::Row> read_allreduce(const std::filesystem::path& file);

/// One training step, mean over workers, epochs and steps. Hidden exchange time is part of the
/// transfer and not of backward; waiting for all to have updated (publish) counts as waiting.
/// Requires steps: CheckFailure.
statistics::StepParts step_parts(const core::RunResult& result);

/// The repetitions of one mode and N that trained, of at least one run.
statistics::MeasuredPoint measured_point(std::span<const Run> runs);

/// Requires a run of a network that this program has: Error(kUsage).
statistics::PredictionSetup prediction_setup(const Run& run);

/// How far from the gradients' bytes a size may be to calibrate their exchange, as a factor: caches
/// make what is much smaller, and memory what is much larger, another exchange.
inline constexpr double kNearGradients = 8.0;
/// Sizes up to this calibrate too: they are all latency, whatever the memory.
inline constexpr std::size_t kLatencyBytes = 4096;

/// The rows of `reduction` in `mode` that calibrate its model for `gradient_bytes`: right sums, not
/// oversubscribed, of such sizes.
std::vector<statistics::ExchangeTime> exchange_times(std::span<const allreduce::Row> rows,
                                                     std::string_view mode,
                                                     std::string_view reduction,
                                                     double gradient_bytes);

}  // namespace dp::experiments::analysis
