// All-reduce by message passing on a ring: every rank sends to its right neighbour and receives
// from its left.
//
//   reduce-scatter, step s = 0 .. P-2: rank r sends chunk r-s, receives chunk r-s-1 and adds its
//   own to it.
//                                      Then rank r holds the whole sum of chunk r+1.
//   all-gather,     step s = 0 .. P-2: rank r sends chunk r+1-s, receives chunk r-s and keeps it.
//
// (chunk numbers modulo P.) Chunk c starts at rank c and is added to in the order c, c+1, ..., c-1,
// which is the order that gradient_exchange.hpp states.
//
// Cost for P ranks and S bytes: 2(P-1) steps, 2 S (P-1)/P bytes sent per rank, whatever P.
// No step waits for more than its neighbours: a rank sends a segment before it waits for one, and a
// channel holds at least one, so some rank can always move on. Source: Patarasuk and Yuan,
// "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/train/buckets.hpp"
#include "core/train/gradient_exchange.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

class RingExchange final : public core::GradientExchange {
public:
    /// `gradients` is this rank's whole block, summed in place; `segment` outlives the exchange.
    RingExchange(SharedSegment& segment, std::size_t rank, std::vector<core::Range> buckets,
                 std::span<float> gradients, double timeout_seconds);

    void reduce() override;
    std::span<const core::Range> update_ranges() const override { return {&all_, 1}; }
    std::span<const float> summed_gradients() const override { return gradients_; }
    /// Every rank has updated its own replica: there is nothing to publish.
    void publish() override {}
    /// Passes the values along the ring, P-1 hops.
    void broadcast(std::span<float> values) override;
    /// Passes every rank's bytes once around, P-1 steps.
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override;
    core::ExchangeStats stats() const override { return stats_; }

private:
    [[nodiscard]] std::size_t rank_at(std::size_t distance_left) const {
        return (rank_ + world_size_ - distance_left % world_size_) % world_size_;
    }
    void reduce_bucket(core::Range bucket);

    /// Sends `out` right and receives `in_bytes` from the left, a segment of each in turn,
    /// handing each received segment to `use`(received, bytes before it).
    template <typename Use>
    void exchange(std::span<const std::byte> out, std::size_t in_bytes, const Use& use);

    RingChannel& to_right_;
    RingChannel& from_left_;
    const std::size_t rank_;
    const std::size_t world_size_;
    const std::vector<core::Range> buckets_;
    std::span<float> gradients_;
    const core::Range all_;
    const core::WaitLimits limits_;
    // Of all calls so far; reduce() adds its own share to stats_.
    double waited_seconds_ = 0.0;
    std::uint64_t sent_bytes_ = 0;
    core::ExchangeStats stats_;
};

}  // namespace dp::multiproc
