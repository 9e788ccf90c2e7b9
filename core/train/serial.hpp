// One worker that plays every rank in turn: the baseline at one rank, and at more the oracle of the
// parallel models, which must end with its bits.
#pragma once

#include <string_view>

#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::core {

/// What `--reduction` calls the lack of one.
inline constexpr std::string_view kSerialReduction = "none";

/// Runs `job` on the calling thread, which becomes the worker: its OpenMP thread count is set to
/// one.
RunResult run_serial(const Job& job);

}  // namespace dp::core
