// The blocks of one owner of parameters: of a process that has a replica, or of a team that shares
// one.
#pragma once

#include <span>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/base/range.hpp"
#include "core/nn/tensor_layout.hpp"
#include "core/train/job.hpp"
#include "core/train/worker_blocks.hpp"

namespace dp::core {

struct Replica {
    /// Lays out and fills what `job` starts from. Sets the calling thread's OpenMP thread count to
    /// `threads`, because a layout holds for the count it was planned under.
    explicit Replica(const Job& job, std::size_t threads = 1);

    NetworkLayout layout;
    FloatBlock parameters;       // initialised
    std::vector<Range> buckets;  // of the gradients, as the job cuts them
};

/// The blocks of the neighbouring ranks that one worker plays in turn. Other workers may read those
/// of the first.
class PlayedRanks {
public:
    /// Takes, and does not touch, the blocks of `count` ranks from `first` on; the first one's
    /// gradients are `gradients` where that is not empty.
    PlayedRanks(const NetworkLayout& layout, std::size_t first, std::size_t count,
                std::span<float> gradients = {});

    /// Fills the statistics, on the worker's thread, after the Replica has checked what `job`
    /// starts from.
    void fill(const Job& job, const NetworkLayout& layout);

    [[nodiscard]] const std::vector<RankBlocks>& blocks() const { return blocks_; }
    /// Of the first rank.
    [[nodiscard]] std::span<float> gradients() const { return blocks_.front().gradients; }

private:
    std::vector<FloatBlock> memory_;
    std::vector<RankBlocks> blocks_;
};

/// The optimizer's state for a worker that updates `ranges`, zeros.
FloatBlock make_optimizer_state(const Job& job, std::span<const Range> ranges);

}  // namespace dp::core
