// The memory that a backend lends a worker: where it lies, and who else sees it, is the backend's.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "core/base/range.hpp"

namespace dp::core {

/// The blocks of one rank. A worker plays one rank, or several in turn: serial's plays all, and
/// with RunConfig::shards each worker plays as many.
struct RankBlocks {
    std::size_t rank = 0;
    std::span<float> gradients;
    std::span<float> statistics;  // initialised
};

/// Sums `bucket` of all `blocks`, at least two, into the first; may overwrite it in all of them.
using SumRanks = std::function<void(std::span<float* const> blocks, Range bucket)>;

/// Sums neighbouring blocks as the lower levels of a tree (SumOrder::kTree) whose upper levels are
/// the exchange's. On input: they are a power of two, and so are the workers.
void sum_as_tree(std::span<float* const> blocks, Range bucket);

/// What the backend lends a worker; all of it outlives the worker.
struct WorkerBlocks {
    std::span<float> parameters;       // initialised
    std::span<float> optimizer_state;  // zeros; of the ranges that it updates, in their order
    /// Neighbours in ascending order, as many on every worker. The exchange's gradients are those
    /// of the first, which takes the sum of all.
    std::vector<RankBlocks> ranks;
    std::size_t world_size = 1;        // ranks of all workers
    bool shared = false;               // parameters and state are one block of several ranks
    bool owns = true;                  // it reports that block's memory; one of them does
    SumRanks sum_ranks = sum_as_tree;  // of the ranks that it plays
};

}  // namespace dp::core
