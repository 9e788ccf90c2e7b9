// World sizes that are no power of two. Algorithms that double or halve need one, so the ranks
// beyond the largest power of two p are folded in: of the first 2 (N - p) ranks each odd one hands
// its gradients to its left neighbour, which adds them to its own, and rests until that neighbour
// hands it the result. The p others are the nodes of the algorithm, numbered from 0 in rank order.
//
//   N = 6, p = 4     rank   0   1   2   3   4   5
//                    node   0   -   1   -   2   3
//
// Adding neighbours first keeps the order of the sums that of a tree (SumOrder::kTree). Source:
// Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in MPICH",
// 2005, section 4.5.
#pragma once

#include <bit>
#include <cstddef>

#include "core/exchange/sum_tree.hpp"

namespace dp::core {

/// A node is a leaf of the tree of sums.
class Fold {
public:
    explicit Fold(std::size_t world_size) : leaves_(world_size) {}

    /// log2 of the nodes.
    [[nodiscard]] std::size_t levels() const {
        return static_cast<std::size_t>(std::countr_zero(leaves_.count));
    }
    /// True of two neighbours of which one rests.
    [[nodiscard]] bool is_paired(std::size_t rank) const { return rank < 2 * leaves_.pairs; }
    [[nodiscard]] bool rests(std::size_t rank) const { return is_paired(rank) && rank % 2 == 1; }
    /// On input: `rank` does not rest.
    [[nodiscard]] std::size_t node_of(std::size_t rank) const {
        return is_paired(rank) ? rank / 2 : rank - leaves_.pairs;
    }
    [[nodiscard]] std::size_t rank_of(std::size_t node) const { return leaves_.rank_of(node); }

private:
    TreeLeaves leaves_;
};

// For formulas of cost.

constexpr double nodes_of(double ranks) {
    double nodes = 1.0;
    while (2.0 * nodes <= ranks) nodes *= 2.0;
    return nodes;
}
/// 1 where ranks must be folded, else 0.
constexpr double folds(double ranks) { return nodes_of(ranks) < ranks ? 1.0 : 0.0; }

}  // namespace dp::core
