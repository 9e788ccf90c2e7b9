#include "core/exchange/sum_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace dp::core {
namespace {

// Each level of the tree keeps one tile, so that those of 256 ranks take 36 KiB of stack.
constexpr std::size_t kTileFloats = 1024;
using Tile = std::array<float, kTileFloats>;

/// The tree over one tile of all blocks.
struct TiledTree {
    std::span<float* const> blocks;
    TreeLeaves leaves;
    Range tile;

    [[nodiscard]] const float* block(std::size_t rank) const { return blocks[rank] + tile.offset; }
    /// The sum of `count` leaves from `first` on: in `room`, or a block where it is one.
    const float* sum(std::size_t first, std::size_t count, float* room) const;
    const float* add(const float* a, const float* b, float* room) const;
};

const float* TiledTree::add(const float* a, const float* b, float* room) const {
    // `room` may be `a`: an element is read before it is written.
#pragma GCC ivdep
    for (std::size_t i = 0; i < tile.size; ++i) room[i] = a[i] + b[i];
    return room;
}

const float* TiledTree::sum(std::size_t first, std::size_t count, float* room) const {
    if (count == 1) {
        const std::size_t rank = leaves.rank_of(first);
        if (first >= leaves.pairs) return block(rank);
        return add(block(rank), block(rank + 1), room);
    }
    alignas(64) Tile right;
    const float* const a = sum(first, count / 2, room);
    return add(a, sum(first + count / 2, count / 2, right.data()), room);
}

}  // namespace

TreeLeaves::TreeLeaves(std::size_t ranks) : count(std::bit_floor(ranks)), pairs(ranks - count) {}

void sum_tree(std::span<float* const> blocks, Range chunk, float* out) {
    alignas(64) Tile room;
    for (std::size_t done = 0; done < chunk.size; done += kTileFloats) {
        const Range tile{chunk.offset + done, std::min(kTileFloats, chunk.size - done)};
        const TiledTree tree{blocks, TreeLeaves(blocks.size()), tile};
        // Not straight into `out`, which may be a block that is still to be added.
        const float* const sum = tree.sum(0, tree.leaves.count, room.data());
        if (sum != out + tile.offset) std::copy_n(sum, tile.size, out + tile.offset);
    }
}

}  // namespace dp::core
