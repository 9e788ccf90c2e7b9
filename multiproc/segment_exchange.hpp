// What the reductions between processes have in common: the rank's gradients in the shared segment,
// and the collectives that pass small things around the ring.
//
// Every rank updates its own replica of the parameters from the whole sum.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/exchange/buckets.hpp"
#include "core/exchange/piecewise_exchange.hpp"
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

class SegmentExchange : public core::PiecewiseExchange {
public:
    std::span<const core::Range> update_ranges() const final { return {&all_, 1}; }
    std::span<const float> summed_gradients() const final { return gradients_; }
    /// Every rank has updated its own replica: there is nothing to publish.
    void publish(std::span<float> /*parameters*/) final {}
    /// Passes the values along the ring, P-1 hops.
    void broadcast(std::span<float> values) final;
    /// Passes every rank's bytes once around, P-1 steps.
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) final;

    /// Where backward writes this rank's gradients.
    [[nodiscard]] std::span<float> gradients() const { return gradients_; }

protected:
    /// Writes zeros to the whole block, so that its pages are this rank's.
    explicit SegmentExchange(ExchangeSetup setup);

    [[nodiscard]] SharedSegment& segment() const { return segment_; }
    [[nodiscard]] RingChannel& to_right() const { return to_right_; }
    [[nodiscard]] RingChannel& from_left() const { return from_left_; }

private:
    SharedSegment& segment_;
    RingChannel& to_right_;
    RingChannel& from_left_;
    const std::span<float> gradients_;
    const core::Range all_;
};

}  // namespace dp::multiproc
