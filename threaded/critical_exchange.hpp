// All-reduce in shared memory under one lock: `#pragma omp critical` around the addition of a
// rank's whole gradient block to the shared sum. It is right, it is one line, and it makes the
// ranks take turns: the exchange is as serial as one rank that adds all blocks.
//
//   1. each rank clears its chunk of the shared sum
//   2. backward writes the rank's own gradients
//   3. once all have handed over all buckets, ranks come to the lock as chance has it
//   4. the one that has it adds all of its block, and lets the next one in
//   5. when all have added, each updates its chunk of the parameters
//
// shared_sum_exchange.hpp says what ends each phase.
//
// Cost for N ranks and S bytes of gradients: N times 2 loads and a store of S, one rank after
// another: 3 N S, beside one clearing of S. Waiting for the lock counts as waiting; the last rank
// waits for N - 1 others, so the mean is (N - 1) / 2 blocks.
//
// Hazard: inside the lock a rank waits for nobody, so that whoever waits for the lock gets it.
// libgomp knows no deadline for a lock; ranks that fail or stand still do so before they come to
// it, where the others wait by our counters, which end.
//
// The order of additions is the order in which ranks got the lock: another run, other bits.
//
// Source: OpenMP API 5.2, critical construct; Chapman, Jost and van der Pas, "Using OpenMP", 2008,
// chapter 4.
#pragma once

#include "threaded/shared_sum_exchange.hpp"

namespace dp::threaded {

class CriticalExchange final : public SharedSumExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "critical",
        .former_name = "",
        .description = "ranks add their whole blocks to one sum, one after another under a lock",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kUnordered,
        .overlaps = false,
        .meets_at_publish = true,
        .sent_per_byte = [](double /*ranks*/) { return 1.0; },
    };

    explicit CriticalExchange(TeamSetup setup) : SharedSumExchange(setup) {}

    const core::ExchangeTraits& traits() const override { return kTraits; }

private:
    bool advance() override { return false; }
    void await(std::size_t count) override;
};

}  // namespace dp::threaded
