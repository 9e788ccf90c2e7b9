// How the gradient block is cut: into buckets, which are exchanged one after another, and each
// bucket into one chunk per rank. The cut decides the order of every float sum, so all backends
// share it.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/range.hpp"
#include "core/nn/tensor_layout.hpp"

namespace dp::core {

/// Buckets of whole neighbouring tensors, last tensor first, as backward finishes them: a bucket is
/// closed once it holds `bucket_bytes` or more (0: one per tensor). Together they cover the block
/// once.
std::vector<Range> make_buckets(const TensorLayout& layout, std::size_t bucket_bytes);

/// Chunk `index` of `bucket` cut for `world_size` ranks: equal shares of whole cache lines; the
/// last ones may be shorter or empty.
Range chunk_of(Range bucket, std::size_t world_size, std::size_t index);

}  // namespace dp::core
