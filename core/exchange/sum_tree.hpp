// The sum of one chunk over gradient blocks that this thread can all read, in the order
// SumOrder::kTree. Ranks that pass sums up a tree of messages, or exchange them by recursive
// doubling or halving, reach the same order.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/range.hpp"

namespace dp::core {

/// The leaves of the tree over `ranks` ranks, a power of two of them: the first leaves are pairs of
/// neighbouring ranks, the others one rank each, so that the leaves keep the ranks' order.
struct TreeLeaves {
    explicit TreeLeaves(std::size_t ranks);

    std::size_t count = 1;  // the largest power of two that is not above `ranks`
    std::size_t pairs = 0;  // of the leaves, the first that are pairs

    /// The rank, or the first of two, that leaf `leaf` stands for.
    [[nodiscard]] std::size_t rank_of(std::size_t leaf) const {
        return leaf < pairs ? 2 * leaf : leaf + pairs;
    }
};

/// Levels of a tree over `ranks` ranks: their binary logarithm, rounded up.
constexpr double tree_levels(double ranks) {
    double levels = 0.0;
    for (double reached = 1.0; reached < ranks; reached *= 2.0) ++levels;
    return levels;
}

/// On input: `blocks`[r] is rank r's gradient block, at least one.
/// On output: `chunk` of `out` holds the sum. `out` may be any of the blocks.
/// Cost for N blocks: N reads of the chunk from memory and one write; partial sums stay in L1.
void sum_tree(std::span<float* const> blocks, Range chunk, float* out);

}  // namespace dp::core
