// All-reduce by exchanging whole vectors: in each round every rank swaps its partial sum with one
// other and both add, so that after log2 N rounds all hold the whole sum. Of N ranks, p = 2^L are
// nodes, L = floor(log2 N); fold.hpp says what the others do.
//
//   round           node j
//   0               (N is no power of two: fold)
//   1 + k, k < L    swaps its sum with node j xor 2^k, and adds what it receives to its own
//   1 + L           (unfold)
//
//   p = 4       0       1       2       3
//   k = 0       0+1 <-> 0+1     2+3 <-> 2+3
//   k = 1       0..3 <--------> 0..3         1 and 3 likewise
//
// Both nodes of a swap add the same two sums, and a + b = b + a to the bit: they hold equal sums of
// 2^(k+1) neighbours. So no result needs to be sent, and the order is SumOrder::kTree.
//
// What may be overwritten when: a swap sends and receives the same range. A segment is added to
// only after it has been copied into the channel (scheduled_exchange.hpp), which needs no second
// buffer; both nodes can send without the other's having received, so that neither waits for ever.
//
// Cost for N = p ranks and S bytes: log2 N rounds, the fewest possible, and S log2 N bytes sent by
// each rank, where a ring sends less than 2 S. So it is the choice for short messages, and from
// N = 4 on the dearest for long ones. Where N is no power of two, two more rounds, and S more bytes
// of the paired ranks. Source: Thakur, Rabenseifner and Gropp, "Optimization of collective
// communication operations in MPICH", 2005, section 4.5.
#pragma once

#include "core/exchange/fold.hpp"
#include "core/exchange/scheduled_exchange.hpp"

namespace dp::core {

struct RecursiveDoublingExchange {
    static constexpr ExchangeTraits kTraits{
        .name = "recursive-doubling",
        .former_name = "",
        .description = "pairs of ranks swap whole sums, at distances 1, 2, 4, ...",
        .order = SumOrder::kTree,
        .sent_per_byte =
            [](double ranks) {
                const double nodes = nodes_of(ranks);
                return (nodes * tree_levels(nodes) + 2.0 * (ranks - nodes)) / ranks;
            },
    };
    static Schedule make_schedule(std::size_t rank, std::size_t world_size, Range bucket);
};

}  // namespace dp::core
