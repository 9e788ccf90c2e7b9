// What the reductions between processes have in common: the rank's gradients in the shared segment,
// the steps' bookkeeping, and the collectives that pass small things around the ring. A reduction
// adds how it does one piece of the work.
//
// Every rank updates its own replica of the parameters from the whole sum.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/exchange/buckets.hpp"
#include "core/exchange/gradient_exchange.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

/// What every reduction is made from. `segment` outlives the exchange and has room for `size`
/// floats per rank, of which each rank's block is the first `size`.
struct ExchangeSetup {
    SharedSegment& segment;
    std::size_t rank = 0;
    std::vector<core::Range> buckets;
    std::size_t size = 0;
    double timeout_seconds = 300.0;
};

class SegmentExchange : public core::GradientExchange {
public:
    std::span<const core::Range> buckets() const final { return buckets_; }
    void hand_over(std::size_t count) final;
    void progress() final;
    void finish() final;
    std::span<const core::Range> update_ranges() const final { return {&all_, 1}; }
    std::span<const float> summed_gradients() const final { return gradients_; }
    /// Every rank has updated its own replica: there is nothing to publish.
    void publish() final {}
    /// Passes the values along the ring, P-1 hops.
    void broadcast(std::span<float> values) final;
    /// Passes every rank's bytes once around, P-1 steps.
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) final;
    core::ExchangeStats stats() const final { return stats_; }

    /// Where backward writes this rank's gradients.
    [[nodiscard]] std::span<float> gradients() const { return gradients_; }

protected:
    /// Writes zeros to the whole block, so that its pages are this rank's.
    explicit SegmentExchange(ExchangeSetup setup);

    /// Does the next piece of this step's work. False, and nothing done, when that must wait for
    /// another rank, or for this one to hand over more, or when no piece is left.
    virtual bool advance() = 0;
    /// Waits until advance() has something to do. Called when all buckets are handed over and a
    /// piece is left.
    virtual void await() = 0;
    [[nodiscard]] virtual bool complete() const = 0;
    /// This step is complete.
    virtual void end_step() {}

    [[nodiscard]] std::size_t rank() const { return rank_; }
    [[nodiscard]] std::size_t world_size() const { return world_size_; }
    /// The rank `distance` places to the left.
    [[nodiscard]] std::size_t rank_at(std::size_t distance_left) const {
        return (rank_ + world_size_ - distance_left % world_size_) % world_size_;
    }
    [[nodiscard]] SharedSegment& segment() const { return segment_; }
    [[nodiscard]] RingChannel& to_right() const { return to_right_; }
    [[nodiscard]] RingChannel& from_left() const { return from_left_; }
    [[nodiscard]] const core::WaitLimits& limits() const { return limits_; }
    /// Buckets of this step that this rank has handed over.
    [[nodiscard]] std::size_t handed() const { return handed_; }
    /// Buckets of all steps before this one, modulo 2^32.
    [[nodiscard]] std::uint32_t buckets_before() const { return before_; }
    /// True when `handed`, a rank's counter, includes `bucket` of this step.
    [[nodiscard]] bool includes(std::uint32_t handed, std::size_t bucket) const {
        return is_past(handed, before_ + static_cast<std::uint32_t>(bucket));
    }
    /// Counters wrap at 2^32 and are never further apart than half of that.
    static bool is_past(std::uint32_t counter, std::uint32_t value) {
        return static_cast<std::int32_t>(counter - value) > 0;
    }
    void count_sent(std::size_t floats) { stats_.sent_bytes += floats * sizeof(float); }
    /// A wait for rank `peer` has just ended; `what` that rank had to do, with `bucket`, if it is
    /// one.
    void count_wait(double seconds, std::string_view what, std::size_t peer, std::size_t bucket);

private:
    SharedSegment& segment_;
    RingChannel& to_right_;
    RingChannel& from_left_;
    const std::size_t rank_;
    const std::size_t world_size_;
    const std::vector<core::Range> buckets_;
    const std::span<float> gradients_;
    const core::Range all_;
    const core::WaitLimits limits_;
    std::size_t handed_ = 0;
    std::uint32_t before_ = 0;
    core::ExchangeStats stats_;
};

}  // namespace dp::multiproc
