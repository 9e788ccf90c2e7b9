// All-reduce in shared memory by OpenMP's reduction clause on an array section: a loop over the
// ranks' blocks, `reduction(+ : sum[:n])`, in which the compiler gives each thread a copy of the
// whole bucket and libgomp adds the copies up.
//
//   1. each rank clears its chunk of the shared sum
//   2. backward writes the rank's own gradients
//   3. once all have handed over the last bucket, bucket by bucket:
//      a. each thread makes a copy of n zeros on its stack
//      b. thread r adds gradients[r] to its copy
//      c. each thread adds its copy to the shared sum, one after another, under libgomp's lock
//      d. libgomp's barrier
//   4. each rank updates its chunk of the parameters
//
// shared_sum_exchange.hpp says what ends the other phases.
//
// Cost for N ranks and S bytes of gradients: a and b are 4 S of loads and stores on every rank, c
// is 3 S for each rank in turn: S (4 + 3 N). The lock makes it as serial as `critical`, and the
// copies come on top.
//
// Hazard, the stack: the copy lies there, and a stack that is too small ends the process without a
// word. A thread's stack must hold the largest bucket and kStackRestBytes for all else:
//     OMP_STACKSIZE for the threads that libgomp starts, `ulimit -s` for the first thread.
// The constructor compares, and refuses with both numbers before the first step.
//
// Hazard, the barrier: as in omp_for_exchange.hpp. No rank goes to the loop before all have handed
// over the last bucket.
//
// The order of additions is the order in which threads come to c.
//
// Source: OpenMP API 5.2, reduction clause; van der Pas, Stotzer and Terboven, "Using OpenMP - The
// Next Step", 2017, chapter 2.
#pragma once

#include "threaded/shared_sum_exchange.hpp"

namespace dp::threaded {

/// What a worker has on its stack beside the copy.
inline constexpr std::size_t kStackRestBytes = std::size_t{1} << 20;

/// Throws Error(kResources) that says how large stacks must be, when that of the calling thread,
/// rank `rank`'s, is too small for a copy of the largest of `buckets`.
void check_stack(std::span<const core::Range> buckets, std::size_t rank);

class OmpReductionExchange final : public SharedSumExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "omp-reduction",
        .former_name = "",
        .description = "OpenMP's reduction clause: a private copy on every thread's stack",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kUnordered,
        .overlaps = false,
        .meets_at_publish = true,
        .sent_per_byte = [](double /*ranks*/) { return 1.0; },
    };

    /// Throws what check_stack() throws.
    explicit OmpReductionExchange(TeamSetup setup);

    const core::ExchangeTraits& traits() const override { return kTraits; }

private:
    bool advance() override { return false; }
    void await(std::size_t count) override;
    bool complete(std::size_t count) const override { return bucket() >= count; }
    void add(core::Range range) override;
};

}  // namespace dp::threaded
