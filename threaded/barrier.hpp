// A barrier between the threads of a team that ends for all when one of them fails, which OpenMP's
// does not.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/wait.hpp"

namespace dp::threaded {

/// A central-counter barrier: the last to arrive publishes the next generation.
/// Cost: one atomic increment per thread on one line, one line read by all.
///
/// Thread safety: any thread of the team may call; each arrives once per generation.
/// Invariants:
///  1. arrived_ counts this generation's arrivals; the last one resets it before it publishes.
///  2. What a thread wrote before arriving is visible to all after: arrivals release, the last one
///  acquires
///     them all and its publish() releases to the others.
class Barrier {
public:
    explicit Barrier(std::size_t threads) : threads_(static_cast<std::uint32_t>(threads)) {}

    /// Throws PeerFailed or Error(kStalled) as `limits` say.
    void arrive_and_wait(const core::WaitLimits& limits);

private:
    const std::uint32_t threads_;
    alignas(core::kAlignmentBytes) std::atomic<std::uint32_t> arrived_{0};
    core::SharedCounter generation_;
};

}  // namespace dp::threaded
