// The sum of one chunk over gradient blocks that this thread can all read, in the order that
// gradient_exchange.hpp states. A ring reaches the same order by passing partial sums on.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/range.hpp"

namespace dp::core {

/// On input: `blocks`[r] is rank r's gradient block; `chunk` is chunk number `index` of a bucket.
/// On output: `chunk` of `out` holds the sum. `out` may be blocks[index], or any block at all.
void sum_chunk(std::span<float* const> blocks, std::size_t index, Range chunk, float* out);

}  // namespace dp::core
