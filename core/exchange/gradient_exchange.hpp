// The only seam between the training loop and the programming models.
//
// All-reduce is reduce-scatter, then all-gather, and every model does both, each in its way. The
// order of the additions is part of the interface: chunk c of a bucket (chunk_of) is the sum
//     ((g[c] + g[c+1]) + g[c+2]) + ... + g[c-1]        (ranks modulo the world size)
// which is the order in which a ring passes it on. So every model ends with the same bits.
//
// One step of one rank, buckets in the order in which backward finishes them:
//
//   call                 may wait   what it means
//   begin_step()         yes        nobody reads this rank's gradients any more: overwrite them
//   hand_over(count)     no         the first `count` buckets are complete: others may read them
//   progress()           no         does what can be done now of the buckets handed over
//   finish()             yes        all buckets are summed
//   publish()            yes        all parameters are updated
//
// hand_over and progress may be called any number of times between layers of backward; that is how
// the exchange overlaps with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/range.hpp"

namespace dp::core {

class StepTrace;

/// Counts since construction, of the steps' five calls alone: the cost of a training step's
/// exchange.
struct ExchangeStats {
    double wait_seconds = 0.0;     // waiting for another rank, in begin_step() and finish()
    double hidden_seconds = 0.0;   // at work in progress(), so while backward was under way
    std::uint64_t sent_bytes = 0;  // of gradients, handed to another rank or read from its memory
    std::uint64_t calls = 0;       // of finish()
};

/// One rank's end. Every function but the getters is collective: all ranks call the same ones in
/// the same order, progress() alone as often as each likes. They throw PeerFailed when another rank
/// has failed and Error(kStalled) when one stays away too long. Thread safety: an object belongs to
/// its rank's thread.
class GradientExchange {
public:
    virtual ~GradientExchange() = default;

    /// The parts of the gradient block in the order in which they are handed over; constant.
    [[nodiscard]] virtual std::span<const Range> buckets() const = 0;

    /// On output: this rank may overwrite its gradients.
    virtual void begin_step() = 0;

    /// On input: this rank's gradients of the first `count` buckets are complete and stay untouched
    /// until the next begin_step(). `count` never falls within a step.
    virtual void hand_over(std::size_t count) = 0;

    virtual void progress() = 0;

    /// On input: all buckets are handed over.
    /// On output: update_ranges() of summed_gradients() hold the sum over all ranks, in the stated
    /// order.
    virtual void finish() = 0;

    /// The whole exchange at once.
    void reduce() {
        hand_over(buckets().size());
        finish();
    }

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

    /// From now on records what it does in `trace`, which is its rank's; null: nowhere.
    void set_trace(StepTrace* trace) { trace_ = trace; }

protected:
    [[nodiscard]] StepTrace* trace() const { return trace_; }

private:
    StepTrace* trace_ = nullptr;
};

inline constexpr std::size_t kMaxGatherBytes = 256;

}  // namespace dp::core
