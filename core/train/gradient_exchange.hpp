// The only seam between the training loop and the programming models.
//
// All-reduce is reduce-scatter, then all-gather, and every model does both, each in its way. The
// order of the additions is part of the interface: chunk c of a bucket (chunk_of) is the sum
//     ((g[c] + g[c+1]) + g[c+2]) + ... + g[c-1]        (ranks modulo the world size)
// which is the order in which a ring passes it on. So every model ends with the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/optim/optimizer.hpp"

namespace dp::core {

/// Counts since construction, of reduce() and publish() alone: the cost of a training step's
/// exchange.
struct ExchangeStats {
    double wait_seconds = 0.0;     // waiting for another rank
    std::uint64_t sent_bytes = 0;  // of gradients, handed to another rank or read from its memory
    std::uint64_t calls = 0;       // of reduce()
};

/// One rank's end. Every function but the getters is collective: all ranks call the same ones in
/// the same order. They throw PeerFailed when another rank has failed and Error(kStalled) when one
/// stays away too long. Thread safety: an object belongs to its rank's thread.
class GradientExchange {
public:
    virtual ~GradientExchange() = default;

    /// On input: this worker's gradients of the step are complete.
    /// On output: update_ranges() of summed_gradients() hold the sum over all ranks, in the stated
    /// order.
    virtual void reduce() = 0;

    /// The ranges of the parameter block that this rank updates; constant.
    [[nodiscard]] virtual std::span<const Range> update_ranges() const = 0;
    [[nodiscard]] virtual std::span<const float> summed_gradients() const = 0;

    /// On input: this rank has updated its ranges. On output: this rank reads all parameters
    /// updated.
    virtual void publish() = 0;

    /// On output: `values` are rank 0's on every rank.
    virtual void broadcast(std::span<float> values) = 0;

    /// On output: `all` holds every rank's `mine`, in rank order. `mine` is equally long on every
    /// worker and at most kMaxGatherBytes. Also serves as a barrier.
    virtual void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) = 0;

    [[nodiscard]] virtual ExchangeStats stats() const = 0;
};

inline constexpr std::size_t kMaxGatherBytes = 256;

}  // namespace dp::core
