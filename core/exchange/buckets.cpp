#include "core/exchange/buckets.hpp"

#include <algorithm>

#include "core/base/memory_block.hpp"

namespace dp::core {

std::vector<Range> make_buckets(const TensorLayout& layout, std::size_t bucket_bytes) {
    std::vector<Range> buckets;
    const auto tensors = layout.tensors();
    for (std::size_t i = tensors.size(); i-- > 0;) {
        const TensorRange& tensor = tensors[i];
        if (buckets.empty() || buckets.back().size * sizeof(float) >= bucket_bytes) {
            buckets.push_back({tensor.offset, tensor.size});
        } else {
            buckets.back() = {tensor.offset, tensor.size + buckets.back().size};
        }
    }
    return buckets;
}

Range chunk_of(Range bucket, std::size_t world_size, std::size_t index) {
    const std::size_t share =
        round_up((bucket.size + world_size - 1) / world_size, kAlignmentFloats);
    const std::size_t begin = std::min(index * share, bucket.size);
    const std::size_t end = std::min(begin + share, bucket.size);
    return {bucket.offset + begin, end - begin};
}

}  // namespace dp::core
