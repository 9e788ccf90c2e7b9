// One worker that plays every rank in turn: the baseline at one rank, and at more the oracle of the
// parallel models, which must end with its bits.
#pragma once

#include <span>

#include "core/base/range.hpp"
#include "core/exchange/exchange_traits.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::core {

/// The one worker exchanges nothing: it has all gradients. What it can choose is the order in which
/// it adds them, so there is a row for each order that reductions of the parallel models state.
struct SerialReduction {
    ExchangeTraits traits;
    /// Sums `bucket` of all `blocks`, in groups of `group_size` where the order has groups, into
    /// the first. May overwrite the bucket in all of them.
    /// Null where there is but one rank.
    void (*sum)(std::span<float* const> blocks, Range bucket, std::size_t group_size) = nullptr;
};

/// The first is the default.
std::span<const SerialReduction> serial_reductions();

/// Runs `job` on the calling thread, which becomes the worker and plays all ranks: its OpenMP
/// thread count is set to one.
RunResult run_serial(const Job& job);

/// The one row of a single rank: there is nothing to sum but what oneDNN's threads sum among
/// themselves, in an order that depends on their number.
std::span<const SerialReduction> intraop_reductions();

/// Runs `job` as one rank whose loops, oneDNN's and ours, are split over job.config.workers OpenMP
/// threads: loop-level parallelism. The calling thread is the first of them. Throws
/// Error(kResources) when OpenMP gives fewer.
RunResult run_intraop(const Job& job);

}  // namespace dp::core
