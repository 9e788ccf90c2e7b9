// All-reduce as a reduce-scatter by recursive halving and an all-gather by recursive doubling:
// Rabenseifner's algorithm, with the few rounds of recursive doubling and the few bytes of a ring.
// Of N ranks, p = 2^L are nodes, L = floor(log2 N); fold.hpp says what the others do.
//
//   round           node j
//   0               (N is no power of two: fold)
//   1 + k, k < L    halves its range with node j xor 2^k: each sends the half that the other keeps,
//                   the lower-numbered keeps the lower half, and adds what it receives to its own
//   1 + L + i       with node j xor 2^k, k = L-1-i: each sends the range it holds whole and puts
//                   the other's beside it, so that both hold twice as much
//   1 + 2L          (unfold)
//
//   p = 4       0           1           2           3            holds, of 4 quarters
//   k = 0       01 <----->  23          01 <----->  23           sums of pairs
//   k = 1       0 <---------------------1, 2 <------------- 3    0:0  1:2  2:1  3:3, whole sums
//   k = 1       01          23          01          23
//   k = 0       0123        0123        0123        0123
//
// Neighbours add first (the textbook begins with the most distant), so that a sum is one of
// neighbours, then of pairs of them: SumOrder::kTree, and the bits are recursive doubling's.
//
// What may be overwritten when: in the first half a node sends one half of its range and adds to
// the other; in the second it sends what it holds whole and writes beside it. What it has sent in
// the first half is written again only by what came about from it. Segments wait in the channels,
// and nothing waits for ever, as scheduled_exchange.hpp shows.
//
// Sharded, a node updates the range of which it holds the sum, and the second half sends
// parameters. A rank that rests updates nothing.
//
// Cost for N = p ranks and S bytes: 2 log2 N rounds; each rank sends 2 S (N-1)/N bytes, the least
// there is. Where N is no power of two, two more rounds, and up to S more bytes of the paired
// ranks. Source: Rabenseifner, "Optimization of collective reduction operations", 2004, section 3.
#pragma once

#include "core/exchange/fold.hpp"
#include "core/exchange/scheduled_exchange.hpp"

namespace dp::core {

struct HalvingDoublingExchange {
    static constexpr ExchangeTraits kTraits{
        .name = "halving-doubling",
        .former_name = "",
        .description = "reduce-scatter by recursive halving, all-gather by recursive doubling",
        .order = SumOrder::kTree,
        .can_shard = true,
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };
    static Schedule make_schedule(std::size_t rank, std::size_t world_size, Range bucket);
};

}  // namespace dp::core
