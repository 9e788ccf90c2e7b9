// All-reduce by reading and writing every rank's memory: rank r sums its chunk over all gradient
// blocks and puts the result into every block. No ring: every rank reads from and writes to all
// others.
//
//   phase     rank r writes                     rank r reads                   ended by
//   backward  own block, bucket by bucket       -                              handed[r]
//   sum       chunk r of every block, a bucket  chunk r of every block         done[r]
//
// `done` counts the buckets whose chunk the rank has summed and put everywhere. A chunk is summed
// once every rank has handed its bucket over, and is then read and written by one rank alone, until
// finish() has seen every rank's `done`. So nobody touches a block after its rank's finish(), and
// begin_step() has nothing to wait for.
//
// Cost for P ranks and S bytes: each rank reads S bytes and writes S; 2 synchronisations of all
// ranks, P counters read in each.
#pragma once

#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

class SharedDirectExchange final : public SegmentExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "shared-direct",
        .former_name = "direct",
        .description = "a rank sums its chunk of all ranks where they lie and writes it to all",
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };

    explicit SharedDirectExchange(ExchangeSetup setup);

    void begin_step() override {}

private:
    bool advance() override;
    void await(std::size_t count) override;
    bool complete(std::size_t count) const override;

    void sum_and_spread();
    /// True when every rank's counter includes this step's bucket `bucket`.
    [[nodiscard]] bool all_include(core::SharedCounter RankCounters::*counter,
                                   std::size_t bucket) const;

    std::vector<float*> blocks_;
};

}  // namespace dp::multiproc
