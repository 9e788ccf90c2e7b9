// All-reduce as a reduction to rank 0 and a broadcast from it, each along a binomial tree: the way
// MPI_Reduce and MPI_Bcast take small messages, and the first answer to "how else than one after
// another". Of N ranks, p = 2^L are nodes, L = floor(log2 N); fold.hpp says what the others do.
//
//   round           node j                            does
//   0               (N is no power of two: fold)
//   1 + k, k < L    j is an odd multiple of 2^k       sends its sum to node j - 2^k, and waits
//                   j is an even multiple of 2^k      receives from node j + 2^k and adds
//   1 + L + k       the same backwards, k = L-1 .. 0  who has received sends the result back
//
//   p = 8       0   1   2   3   4   5   6   7
//   k = 0       +<--.   +<--.   +<--.   +<--.
//   k = 1       +<------.       +<------.
//   k = 2       +<--------------.
//
// After round 1 + k a node that still adds holds the sum of 2^(k+1) neighbours, made of the sums of
// two halves: the order of the additions is SumOrder::kTree.
//
// What may be overwritten when: a rank's gradients are its own. It sends its partial sum once and
// does not touch it until the result replaces it, which can only come after the sum was taken.
//
// Cost for N ranks and S bytes: 2 ceil(log2 N) rounds one after another, in each of which rank 0
// sends or receives all S bytes. All ranks together send 2 (N-1) S, as a ring's do, but the ring's
// share it out evenly: here half of the ranks send S once and then only wait. Good for short
// messages, where rounds count, and bad for long ones. Source: Rabenseifner, "Optimization of
// collective reduction operations", 2004, section 2.
#pragma once

#include "core/exchange/fold.hpp"
#include "core/exchange/scheduled_exchange.hpp"

namespace dp::core {

struct TreeExchange {
    static constexpr ExchangeTraits kTraits{
        .name = "tree",
        .former_name = "",
        .description = "binomial tree of messages to rank 0 and back",
        .order = SumOrder::kTree,
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };
    static Schedule make_schedule(std::size_t rank, std::size_t world_size, Range bucket);
};

}  // namespace dp::core
