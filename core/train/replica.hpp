// The blocks of one owner of parameters: of a process that has a replica, or of a team that shares
// one.
#pragma once

#include <span>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/base/range.hpp"
#include "core/nn/tensor_layout.hpp"
#include "core/train/job.hpp"

namespace dp::core {

struct Replica {
    /// Lays out and fills what `job` starts from. Sets the calling thread's OpenMP thread count to
    /// `threads`, because a layout holds for the count it was planned under.
    explicit Replica(const Job& job, std::size_t threads = 1);

    NetworkLayout layout;
    FloatBlock parameters;       // initialised
    std::vector<Range> buckets;  // of the gradients, as the job cuts them
};

/// The optimizer's state for a worker that updates `ranges`, zeros.
FloatBlock make_optimizer_state(const Job& job, std::span<const Range> ranges);

}  // namespace dp::core
