// All-reduce in shared memory: rank r sums its chunk of every bucket over all gradient blocks where
// they lie, into its own block, then updates that chunk of the one shared parameter block. Nothing
// is sent.
//
//   phase     rank r writes                       rank r reads                    ended by
//   backward  gradients[r], bucket by bucket      shared parameters               handed[r]
//   sum       chunk r of gradients[r], a bucket   chunk r of every gradients[k]   -
//   update    chunk r of parameters and state     chunk r of gradients[r]         barrier
//
// A bucket is summed once every rank has handed it over: no sum reads gradients that are still
// being written. Between the barriers ranks write disjoint chunks and read no chunk that another
// writes.
//
// Cost for P ranks and S bytes of gradients: each rank reads S bytes and writes S/P; P counters are
// read per bucket, and 1 barrier.
#pragma once

#include "threaded/team_exchange.hpp"

namespace dp::threaded {

class InPlaceExchange : public TeamExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "in-place",
        .former_name = "",
        .description = "a rank sums its chunk of all ranks where they lie",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kRing,
        .meets_at_publish = true,
        .sent_per_byte = [](double ranks) { return (ranks - 1.0) / ranks; },
    };

    explicit InPlaceExchange(TeamSetup setup) : TeamExchange(setup) {}

    const core::ExchangeTraits& traits() const override { return kTraits; }
    std::span<const float> summed_gradients() const override { return gradients(); }

private:
    bool advance() final;
    void await(std::size_t /*count*/) final { wait_for_all(bucket()); }
    /// Sums this rank's chunk of a bucket that all ranks have handed over into its own block.
    virtual void sum(core::Range own);
};

}  // namespace dp::threaded
