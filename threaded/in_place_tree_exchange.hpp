// All-reduce in shared memory as in_place_exchange.hpp has it, but in the order of a tree: rank r
// sums its chunk of every bucket over all gradient blocks where they lie, in neighbouring pairs,
// then pairs of pairs. The order of a sum is one thing and who adds another: nobody idles here
// while others add, as in tree_exchange.hpp, and the bits are the same.
//
//   phase     rank r writes                       rank r reads                    ended by
//   backward  gradients[r], bucket by bucket      shared parameters               handed[r]
//   sum       chunk r of gradients[r], a bucket   chunk r of every gradients[k]   -
//   update    chunk r of parameters and state     chunk r of gradients[r]         barrier
//
// Hazards are those of in_place_exchange.hpp: a bucket is summed once every rank has handed it
// over, and between the barriers ranks write disjoint chunks and read no chunk that another writes.
//
// Cost for N ranks and S bytes of gradients: each rank reads S bytes and writes S/N; the partial
// sums of a tile stay in L1. N counters are read per bucket, and 1 barrier.
//
// Source: the order is that of recursive doubling, Thakur, Rabenseifner and Gropp, "Optimization of
// collective communication operations in MPICH", 2005, so that threads can end with its bits.
#pragma once

#include "threaded/in_place_exchange.hpp"

namespace dp::threaded {

class InPlaceTreeExchange final : public InPlaceExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "in-place-tree",
        .former_name = "",
        .description = "a rank sums its chunk of all ranks where they lie, in pairs of pairs",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kTree,
        .meets_at_publish = true,
        .sent_per_byte = InPlaceExchange::kTraits.sent_per_byte,
    };

    explicit InPlaceTreeExchange(TeamSetup setup) : InPlaceExchange(setup) {}

    const core::ExchangeTraits& traits() const override { return kTraits; }

private:
    void sum(core::Range own) override;
};

}  // namespace dp::threaded
