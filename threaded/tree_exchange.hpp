// All-reduce in shared memory by a tree: neighbouring pairs of ranks add their blocks, then pairs
// of the pairs, until rank 0's block holds the sum over all; each rank then updates its chunk of
// the parameters from there. At each level half of the ranks that still worked have nothing left to
// do.
//
//   level     rank r, a multiple of 2d, does                   with
//   0         gradients[r] += gradients[r + 1]                 only the first ranks, where N is no
//                                                              power of two: see core::TreeLeaves
//   d = 1     gradients[r] += gradients[r + 1]                 d counts leaves, which are ranks or
//   d = 2     gradients[r] += gradients[r + 2]                 pairs of them
//   ...       d doubles
//
//   phase     rank r writes                       rank r reads                    ended by
//   backward  gradients[r], bucket by bucket      shared parameters               handed[r]
//   sum       gradients[r], once for each child   gradients[child]                done[r]
//   update    chunk r of parameters and state     chunk r of gradients[0]         barrier
//
// done[r] counts the buckets of which gradients[r] holds the sum of r's subtree.
//
// Cost for N ranks and S bytes of gradients: rank 0 adds S bytes ceil(log2 N) times, each with 2
// loads and a store: 3 S ceil(log2 N). In place it takes S (1 + 1/N): a tree is made for messages,
// where few long ones beat many short ones, and not for memory that all can read.
//
// Hazards: a child's block is read until its parent has added it, and rank 0's until all have
// updated: the barrier of publish() comes before anyone overwrites either. Each pair waits for its
// own two ranks, not for a barrier at each level, so that a late rank delays its own branch alone.
//
// Source: Van der Wijngaart and Mattson, "The Parallel Research Kernels", 2014, whose OpenMP kernel
// Reduce has the same tree with a barrier at each level (binary-barrier) and with flags
// (binary-p2p).
#pragma once

#include <vector>

#include "core/exchange/sum_tree.hpp"
#include "threaded/team_exchange.hpp"

namespace dp::threaded {

class TreeExchange final : public TeamExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "tree",
        .former_name = "",
        .description = "pairs of ranks add their blocks, then pairs of pairs, up to rank 0",
        .update = core::UpdateKind::kSliced,
        .order = core::SumOrder::kTree,
        .meets_at_publish = true,
        // Children, the root and a barrier.
        .sent_per_byte = core::tree_levels,
    };

    explicit TreeExchange(TeamSetup setup);

    const core::ExchangeTraits& traits() const override { return kTraits; }
    std::span<const float> summed_gradients() const override {
        return {blocks()[0], gradients().size()};
    }

private:
    struct Child {
        std::size_t rank = 0;
        std::size_t level = 0;
    };

    bool advance() override;
    void await(std::size_t count) override;
    bool complete(std::size_t count) const override { return has_done(0, count - 1); }
    void add(const Child& child);

    std::vector<Child> children_;  // whose blocks this rank adds, in this order
    std::size_t next_ = 0;         // of them, for the bucket that the next piece is of
};

}  // namespace dp::threaded
