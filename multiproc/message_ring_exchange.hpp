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
// A chunk is cut into segments of a slot, and kGroup segments go through all steps before the next
// ones do. All ranks do the same segments in the same order, so the i-th segment sent is the i-th
// received. Of the ranks, the one that is furthest behind can always move on: its left neighbour
// has done the step before, which is kGroup segments back, and its right neighbour has received all
// but the last kGroup, fewer than the channel's slots. So no wait is for ever.
//
// Cost for P ranks and S bytes: 2(P-1) steps, 2 S (P-1)/P bytes sent per rank, whatever P; loads
// and stores (6 - 4/P) S. Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for
// clusters of workstations", 2009.
#pragma once

#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

class MessageRingExchange final : public SegmentExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "message-ring",
        .former_name = "slot-ring",
        .description = "messages through slots between neighbours; gradients stay private",
        .signals = [](double ranks) { return 2.0 * (ranks - 1.0); },
        .moved_per_byte = [](double ranks) { return 6.0 - 4.0 / ranks; },
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };

    explicit MessageRingExchange(ExchangeSetup setup);

    const core::ExchangeTraits& traits() const override { return kTraits; }
    /// Others never read this rank's gradients.
    void begin_step() override {}

private:
    bool advance() override;
    void await(std::size_t count) override;
    bool complete(std::size_t count) const override {
        return world_size() == 1 || bucket() >= count;
    }

    [[nodiscard]] bool receives() const { return step_ > 0; }
    [[nodiscard]] bool sends() const { return step_ < 2 * (world_size() - 1); }
    /// This rank's part of the gradients in the next segment.
    [[nodiscard]] std::span<float> own_segment() const;
    void do_segment();
    void go_on();

    std::vector<std::size_t> segments_;  // of a chunk, by bucket
    // The next segment of the bucket: group_ is the first of its group.
    std::size_t group_ = 0;
    std::size_t step_ = 0;
    std::size_t segment_ = 0;
};

}  // namespace dp::multiproc
