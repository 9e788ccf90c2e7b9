// All-reduce by message passing on a ring: every rank sends to its right neighbour and receives
// from its left, through a channel of slots; nobody touches another rank's gradients.
//
//   step k          rank r receives      does                                sends
//   0               -                    -                                   own chunk r
//   1 .. P-2        partial chunk r-k    adds its own                        the sum
//   P-1             partial chunk r+1    adds its own, keeps the whole sum   the sum
//   P .. 2P-3       whole chunk r-(k-P)  keeps it                            the same
//   2P-2            whole chunk r+2      keeps it                            -
//
// (chunk numbers modulo P.) Chunk c starts at rank c and is added to in the order c, c+1, ..., c-1,
// which is the order that gradient_exchange.hpp states. What a step sends it writes straight into
// the outgoing slot, from the incoming one and the own chunk: received, added and sent in one pass.
//
// A chunk is cut into segments, and a group of half a channel's depth goes through all steps before
// the next one does. All ranks do the same segments in the same order, so the i-th segment sent is
// the i-th received. Of the ranks, the one that is furthest behind can always move on: its left
// neighbour has done the step before, which is a group of segments back, and its right neighbour
// has received all but the last group, fewer than the channel holds. So no wait is for ever.
//
// Sharded, the exchange ends with step P-1, which sends nothing: rank r keeps the whole sum of
// chunk r+1 and updates it. publish() does the rest with parameters in place of gradients: it sends
// chunk r+1, then does steps P to 2P-2.
//
// Cost for P ranks and S bytes: 2(P-1) steps, 2 S (P-1)/P bytes sent per rank, whatever P; loads
// and stores (6 - 4/P) S. Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for
// clusters of workstations", 2009.
#pragma once

#include "core/exchange/channel_exchange.hpp"

namespace dp::core {

class MessageRingExchange final : public ChannelExchange {
public:
    static constexpr ExchangeTraits kTraits{
        .name = "message-ring",
        .former_name = "slot-ring",
        .description = "messages around a ring of neighbours; gradients stay private",
        .can_shard = true,
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };
    static constexpr Receivers kReceivers = nullptr;  // the right neighbour alone

    explicit MessageRingExchange(ChannelSetup setup);

    /// Others never read this rank's gradients.
    void begin_step() override {}
    void publish(std::span<float> parameters) override;

private:
    bool advance() override;
    void await(std::size_t count) override;

    /// A range of the table's steps, both ends included: the first only sends, the last only
    /// receives.
    struct Steps {
        std::size_t first;
        std::size_t last;
    };
    [[nodiscard]] bool receives() const { return step_ > steps_.first; }
    [[nodiscard]] bool sends() const { return step_ < steps_.last; }
    [[nodiscard]] bool can_move() const;
    /// Part of `block` in the next segment of `bucket`.
    [[nodiscard]] std::span<float> own_segment(std::span<float> block, std::size_t bucket) const;
    void do_segment(std::span<float> block, std::size_t bucket);
    /// True when that was the last segment of `bucket`.
    bool go_on(std::size_t bucket);

    const std::size_t group_size_;
    Channel* to_right_ = nullptr;  // of two or more ranks, as is the next
    Channel* from_left_ = nullptr;
    std::vector<std::size_t> chunk_segments_;  // by bucket
    // The next segment of the bucket: group_ is the first of its group.
    Steps steps_;
    std::size_t group_ = 0;
    std::size_t step_;
    std::size_t segment_ = 0;
};

}  // namespace dp::core
