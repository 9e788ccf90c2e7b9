// All-reduce in shared memory by atomic additions: all ranks add to the shared sum at once, and
// `#pragma omp atomic` makes each addition of a float whole.
//
//   1. each rank clears its chunk of the shared sum
//   2. backward writes the rank's own gradients
//   3. once all have handed a bucket over, each rank adds it, element by element
//   4. when all have added all buckets, each updates its chunk of the parameters
//
// shared_sum_exchange.hpp says what ends each phase.
//
// Cost for N ranks and S bytes of gradients: each rank makes S/4 atomic additions. CPUs have none
// for floats: the compiler loops over load, add, compare and exchange until no other rank came
// between, some 20 cycles where none does, one element at a time where a plain loop adds 8 or 16 at
// once. And each cache line of the sum, 3 S of loads and stores for each rank, travels to every
// core that adds to it, in turn and back again where two are at it together. So all ranks work, and
// most of that work is waiting for a cache line.
//
// Hazard: none but the order. Two ranks that add to one element at once both count, for a lost
// exchange is repeated.
//
// The order of additions is chance's, element by element.
//
// Source: OpenMP API 5.2, atomic construct; Chapman, Jost and van der Pas, "Using OpenMP", 2008,
// chapter 4.
#pragma once

#include "threaded/shared_sum_exchange.hpp"

namespace dp::threaded {

class AtomicExchange final : public SharedSumExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "atomic",
        .former_name = "",
        .description = "ranks add to one sum at once, each element atomically",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kUnordered,
        .meets_at_publish = true,
        .sent_per_byte = [](double /*ranks*/) { return 1.0; },
    };

    explicit AtomicExchange(TeamSetup setup) : SharedSumExchange(setup) {}

    const core::ExchangeTraits& traits() const override { return kTraits; }

private:
    void add(core::Range range) override;
};

}  // namespace dp::threaded
