// One worker that plays every rank in turn: the baseline at one rank, and at more the oracle of the
// parallel models, which must end with its bits.
#pragma once

#include "core/exchange/exchange_traits.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::core {

/// The one worker exchanges nothing: it has all gradients.
inline constexpr ExchangeTraits kSerialTraits{
    .name = "none",
    .former_name = "",
    .description = "one worker has all gradients",
    .signals = [](double /*ranks*/) { return 0.0; },
    .moved_per_byte = [](double /*ranks*/) { return 0.0; },
    .sent_per_byte = [](double /*ranks*/) { return 0.0; },
};

/// Runs `job` on the calling thread, which becomes the worker: its OpenMP thread count is set to
/// one.
RunResult run_serial(const Job& job);

}  // namespace dp::core
