// What a request runs: its configurations, and the order of a sweep's runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/exchange/exchange_traits.hpp"
#include "core/train/run_config.hpp"
#include "experiments/results/run.hpp"
#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// What --reduction calls all that a mode has.
inline constexpr std::string_view kAllReductions = "all";

/// The reductions that `request` has of `mode`: never none, each once. Throws Error(kUsage) where
/// one cannot add as shards need it.
std::vector<core::ExchangeTraits> chosen_reductions(const Request& request, std::string_view mode);

/// The configurations of a request, in order: for each worker count, each mode with each of its
/// reductions. Beside other modes a baseline runs once, with one worker, first. Throws
/// Error(kUsage) when a global batch or its shards cannot be shared out.
std::vector<core::RunConfig> plan_configurations(const Request& request);

/// Weak scaling: lets every epoch end after as many steps as the most workers of `configurations`
/// can make with full batches of their own, so that each worker does the same work in all of them;
/// a smaller --steps stays. Throws Error(kUsage) when `training_images` are not enough for one.
void equalise_steps(std::vector<core::RunConfig>& configurations, std::size_t training_images);

/// The configurations as they run on `training_images`.
std::vector<core::RunConfig> plan_runs(const Request& request, std::size_t training_images);

/// Every configuration `repetitions` times. More than once: repetition by repetition, in each of
/// which N come in an order of their own, and the configurations of an N one after the other in an
/// order of their own, both drawn with `seed`. So runs that are compared with each other are
/// neighbours, which meet the same machine, and drift favours none. A baseline is one of N = 1: it
/// is no nearer to one N than to another.
std::vector<Run> schedule(const std::vector<core::RunConfig>& configurations, Scaling scaling,
                          std::size_t repetitions, std::uint64_t seed);

}  // namespace dp::experiments
