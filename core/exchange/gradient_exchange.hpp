// The only seam between the training loop and the programming models.
//
// All-reduce is reduce-scatter, then all-gather, and every model does both, each in its way. The
// order of the additions is part of the interface (ExchangeTraits::order). With SumOrder::kRing,
// chunk c of a bucket (chunk_of) is the sum
//     ((g[c] + g[c+1]) + g[c+2]) + ... + g[c-1]        (ranks modulo the world size)
// which is the order in which a ring passes it on. So every model ends with the same bits.
//
// One step of one rank, buckets in the order in which backward finishes them:
//
//   call                 may wait   what it means
//   begin_step()         yes        nobody reads this rank's gradients any more: overwrite them
//   hand_over(count)     no         the first `count` buckets are complete: others may read them
//   progress()           no         does what can be done now of the buckets handed over
//   finish(count)        yes        the first `count` buckets are summed
//   publish(parameters)  yes        all parameters are updated
//
// A worker that plays several ranks in turn is one rank here, with the sum of their gradients.
//
// hand_over and progress may be called any number of times between layers of backward; that is how
// the exchange overlaps with it. finish() may be called for one bucket after another, each handed
// over before; the step's exchange ends when it is called for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/range.hpp"
#include "core/exchange/exchange_traits.hpp"

namespace dp::core {

class StepTrace;

/// Counts since construction, of the steps' five calls alone: the cost of a training step's
/// exchange.
struct ExchangeStats {
    double wait_seconds = 0.0;    // waiting for another rank, in begin_step() and finish()
    double hidden_seconds = 0.0;  // at work in progress(), so while backward was under way
    /// Of gradients, handed to another rank or read from its memory, and of parameters, where ranks
    /// send what they have updated.
    std::uint64_t sent_bytes = 0;
    std::uint64_t calls = 0;  // of finish(): all-reduces that the rank has blocked in
};

/// One rank's end. Every function but the getters is collective: all ranks call the same ones in
/// the same order, progress() alone as often as each likes. They throw PeerFailed when another rank
/// has failed and Error(kStalled) when one stays away too long. Thread safety: an object belongs to
/// its rank's thread.
class GradientExchange {
public:
    virtual ~GradientExchange() = default;

    [[nodiscard]] virtual const ExchangeTraits& traits() const = 0;

    /// The parts of the gradient block in the order in which they are handed over; constant.
    [[nodiscard]] virtual std::span<const Range> buckets() const = 0;

    /// On output: this rank may overwrite its gradients.
    virtual void begin_step() = 0;

    /// On input: this rank's gradients of the first `count` buckets are complete and stay untouched
    /// until the next begin_step(). `count` never falls within a step.
    virtual void hand_over(std::size_t count) = 0;

    virtual void progress() = 0;

    /// On input: the first `count` buckets, at least one, are handed over.
    /// On output: their part of update_ranges() of summed_gradients() holds the sum over all ranks,
    /// in the stated order.
    virtual void finish(std::size_t count) = 0;

    /// The whole exchange at once.
    void reduce() {
        hand_over(buckets().size());
        finish(buckets().size());
    }
    /// One all-reduce for each bucket, each ended before the next begins.
    void reduce_one_by_one() {
        for (std::size_t count = 1; count <= buckets().size(); ++count) {
            hand_over(count);
            finish(count);
        }
    }

    /// The ranges of the parameter block that this rank updates, none where another does it for
    /// all; constant. There summed_gradients() holds the sum until any rank begins the next step.
    [[nodiscard]] virtual std::span<const Range> update_ranges() const = 0;
    [[nodiscard]] virtual std::span<const float> summed_gradients() const = 0;

    /// On input: this rank has updated its ranges of `parameters`, the block that it reads. On
    /// output: all of it is updated.
    virtual void publish(std::span<float> parameters) = 0;

    /// On output: `values` are rank 0's on every rank.
    virtual void broadcast(std::span<float> values) = 0;

    /// On output: `all` holds every rank's `mine`, in rank order. `mine` is equally long on every
    /// worker and at most kMaxGatherBytes. Also serves as a barrier.
    virtual void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) = 0;

    /// Returns every rank's `mine`, of any length, by rank; nothing on other ranks than rank 0.
    virtual std::vector<std::string> gather(std::string_view mine) = 0;

    [[nodiscard]] virtual ExchangeStats stats() const = 0;

    /// From now on records what it does in `trace`, which is its rank's; null: nowhere.
    virtual void set_trace(StepTrace* trace) { trace_ = trace; }

protected:
    [[nodiscard]] StepTrace* trace() const { return trace_; }

private:
    StepTrace* trace_ = nullptr;
};

inline constexpr std::size_t kMaxGatherBytes = 256;

}  // namespace dp::core
