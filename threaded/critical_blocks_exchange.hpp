// All-reduce in shared memory under a lock for each bucket: ranks add to the shared sum as under
// one lock, but two of them may add to different buckets at once. Finer locks turn the queue in
// front of one lock into a pipeline.
//
//   1. each rank clears its chunk of the shared sum
//   2. backward writes the rank's own gradients
//   3. once all have handed a bucket over, each rank in turn locks it, adds its part and unlocks it
//   4. when all have added all buckets, each updates its chunk of the parameters
//
// shared_sum_exchange.hpp says what ends each phase.
//
// Cost for N ranks, S bytes of gradients and B buckets of equal size: all ranks come to the first
// bucket at once and leave it one after another; from there on they follow each other without
// waiting. So it takes (B + N - 1) / B times 2 loads and a store of S: 3 S (1 + (N - 1) / B). With
// one bucket that is what one lock costs, 3 N S, and with many 3 S.
//
// During backward a rank goes on with it instead of waiting for a lock that another holds.
//
// Hazard: a rank holds one lock at a time and waits for nobody while it does, so that there is no
// deadlock; ranks that fail or stand still do so outside of it.
//
// The order of additions is chance's, bucket by bucket.
//
// Source: OpenMP API 5.2, lock routines; Chapman, Jost and van der Pas, "Using OpenMP", 2008,
// chapter 4.
#pragma once

#include "threaded/shared_sum_exchange.hpp"

namespace dp::threaded {

class CriticalBlocksExchange final : public SharedSumExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "critical-blocks",
        .former_name = "",
        .description = "ranks add to one sum, with a lock for each bucket",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kUnordered,
        .meets_at_publish = true,
        .sent_per_byte = [](double /*ranks*/) { return 1.0; },
    };

    explicit CriticalBlocksExchange(TeamSetup setup) : SharedSumExchange(setup) {}

    const core::ExchangeTraits& traits() const override { return kTraits; }

private:
    bool advance() override;
    void await(std::size_t count) override;
};

}  // namespace dp::threaded
