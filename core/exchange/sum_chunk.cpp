#include "core/exchange/sum_chunk.hpp"

#include <algorithm>
#include <array>

namespace dp::core {
namespace {

// Blocks added in one pass: each is a stream of its own for the prefetcher. More of them are added
// by a pass per group, over partial sums of one tile that stay in L1 meanwhile.
constexpr std::size_t kGroup = 4;
constexpr std::size_t kTileFloats = 4096;

/// out[i] = ((blocks[0][i] + blocks[1][i]) + ...) of `count` blocks, at most kGroup.
void add_group(const std::array<const float*, kGroup>& from, std::size_t count, std::size_t size,
               float* out) {
    const auto [a, b, c, d] = from;
    // `out` may be one of the blocks, but then at the same place: an element is read before it is
    // written, and no other element depends on it.
    switch (count) {
        case 1:
            if (a != out) std::copy_n(a, size, out);
            break;
        case 2:
#pragma GCC ivdep
            for (std::size_t i = 0; i < size; ++i) out[i] = a[i] + b[i];
            break;
        case 3:
#pragma GCC ivdep
            for (std::size_t i = 0; i < size; ++i) out[i] = (a[i] + b[i]) + c[i];
            break;
        default:
#pragma GCC ivdep
            for (std::size_t i = 0; i < size; ++i) out[i] = ((a[i] + b[i]) + c[i]) + d[i];
    }
}

}  // namespace

void sum_chunk(std::span<float* const> blocks, std::size_t index, Range chunk, float* out) {
    const std::size_t count = blocks.size();
    const auto block = [&](std::size_t k, std::size_t at) {
        return blocks[(index + k) % count] + at;
    };
    if (count <= kGroup) {
        std::array<const float*, kGroup> from{};
        for (std::size_t k = 0; k < count; ++k) from[k] = block(k, chunk.offset);
        add_group(from, count, chunk.size, out + chunk.offset);
        return;
    }
    alignas(64) std::array<float, kTileFloats> sum;
    for (std::size_t done = 0; done < chunk.size; done += kTileFloats) {
        const std::size_t size = std::min(kTileFloats, chunk.size - done);
        const std::size_t at = chunk.offset + done;
        std::array<const float*, kGroup> from{block(0, at), block(1, at), block(2, at),
                                              block(3, at)};
        add_group(from, kGroup, size, sum.data());
        from[0] = sum.data();
        for (std::size_t k = kGroup; k < count;) {
            const std::size_t more = std::min(kGroup - 1, count - k);
            for (std::size_t i = 0; i < more; ++i) from[i + 1] = block(k + i, at);
            k += more;
            // Not before the last pass, since `out` may be a block that is still to be added.
            add_group(from, more + 1, size, k == count ? out + at : sum.data());
        }
    }
}

}  // namespace dp::core
