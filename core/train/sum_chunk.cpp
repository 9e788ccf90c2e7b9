#include "core/train/sum_chunk.hpp"

#include <algorithm>
#include <array>

namespace dp::core {
namespace {

// Partial sums of one tile stay in L1 while the blocks stream past: half of 32 KiB, the rest for
// the stream.
constexpr std::size_t kTileFloats = 4096;

}  // namespace

void sum_chunk(std::span<float* const> blocks, std::size_t index, Range chunk, float* out) {
    if (blocks.size() == 1 && out == blocks[0]) return;
    alignas(64) std::array<float, kTileFloats> sum;
    for (std::size_t done = 0; done < chunk.size; done += kTileFloats) {
        const std::size_t size = std::min(kTileFloats, chunk.size - done);
        const std::size_t at = chunk.offset + done;
        std::copy_n(blocks[index] + at, size, sum.begin());
        for (std::size_t k = 1; k < blocks.size(); ++k) {
            const float* next = blocks[(index + k) % blocks.size()] + at;
            for (std::size_t i = 0; i < size; ++i) sum[i] += next[i];
        }
        std::copy_n(sum.begin(), size, out + at);
    }
}

}  // namespace dp::core
