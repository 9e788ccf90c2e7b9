// All-reduce on a ring without copies on the way: every rank reads its left neighbour's chunk where
// it lies in the shared segment, and talks to its two neighbours only.
//
//   reduce-scatter, step s = 0 .. P-2: rank r adds its left neighbour's chunk r-s-1 to its own.
//                                      Then rank r holds the whole sum of chunk r+1.
//   all-gather,     step s = 0 .. P-2: rank r copies its left neighbour's chunk r-s.
//
// (chunk numbers modulo P.) Chunk c starts at rank c and is added to in the order c, c+1, ..., c-1,
// which is the order that gradient_exchange.hpp states. A chunk is cut into pieces; all ranks do
// the pieces of a bucket in the same order, step by step, and `done` counts them.
//
//   piece p of     rank r writes       rank r reads            may start when
//   step s = 0     own chunk r-1       left's chunk r-1        left has handed the bucket over
//   step s > 0     own chunk           left's, the same one    left's `done` counts (s-1, p)
//
// Reading: rank r reads of its left neighbour what that has written in the step before (the step
// numbers run on from reduce-scatter to all-gather), never what it is writing.
// Overwriting: a rank writes a chunk twice, its partial sum in reduce-scatter and the whole sum in
// all-gather (chunk r+1 once; chunk r, raw, is only overwritten in all-gather). The right neighbour
// reads the first before the second is written, without a wait of its own: the whole sum comes
// about only by passing on what that neighbour made of the partial one, so its arrival at rank r
// proves that it was read. The whole sums stay until the next backward: begin_step() waits until
// the right neighbour has done all its pieces.
//
// Cost for P ranks and S bytes: 2(P-1) steps; each rank moves 5 S (P-1)/P bytes of loads and
// stores, the least a ring can; a piece is a wake-up at most, and P times a chunk's length of slack
// in time between neighbours. Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms
// for clusters of workstations", 2009.
#pragma once

#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

class SharedRingExchange final : public SegmentExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "shared-ring",
        .former_name = "ring",
        .description = "a rank reads its left neighbour's chunks where they lie",
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };

    explicit SharedRingExchange(ExchangeSetup setup);

    void begin_step() override;

private:
    bool advance() override;
    void await(std::size_t count) override;

    /// The left neighbour's counter, and the value that it must have passed before the next piece.
    struct Condition {
        core::SharedCounter& counter;
        std::uint32_t passed;
    };
    [[nodiscard]] Condition condition() const;
    [[nodiscard]] bool reduces() const { return step_ + 1 < world_size(); }
    [[nodiscard]] core::Range next_piece() const;
    void do_piece(core::Range piece);
    void go_on();

    RankCounters& own_;
    RankCounters& left_;
    RankCounters& right_;
    const std::span<const float> left_gradients_;
    std::vector<std::uint32_t> pieces_;  // of a chunk, by bucket; at least one
    std::uint32_t done_;                 // as own_.done
    // The next piece of the bucket.
    std::size_t step_ = 0;
    std::uint32_t piece_ = 0;
};

}  // namespace dp::multiproc
