// Sums of a chunk over any number of blocks: the stated order, to the bit.
#include "core/exchange/sum_chunk.hpp"

#include <cstddef>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/sums.hpp"

using namespace dp::core;
using dp::tests::Blocks;
using dp::tests::random_blocks;

namespace {

/// What gradient_exchange.hpp states, element by element.
float expected(const Blocks& blocks, std::size_t index, std::size_t i) {
    float sum = blocks[index][i];
    for (std::size_t k = 1; k < blocks.size(); ++k) sum += blocks[(index + k) % blocks.size()][i];
    return sum;
}

/// Sums `chunk` into block `into` and checks that and all else.
void check(std::size_t count, std::size_t index, std::size_t into, Range chunk, std::size_t size) {
    const Blocks before = random_blocks(count, size);
    Blocks blocks = before;
    std::vector<float*> addresses;
    for (auto& block : blocks) addresses.push_back(block.data());
    sum_chunk(addresses, index, chunk, addresses[into]);
    Blocks after = before;
    for (std::size_t i = chunk.offset; i < chunk.offset + chunk.size; ++i) {
        after[into][i] = expected(before, index, i);
    }
    INFO(count << " blocks, chunk " << index << " of " << chunk.size << " into block " << into);
    CHECK((blocks == after));  // not printed: it is long
}

}  // namespace

TEST_CASE("a chunk's sum has the stated order for every number of blocks") {
    for (std::size_t count = 1; count <= 13; ++count) {
        for (const std::size_t size : {0UL, 1UL, count - 1, count, 37UL}) {
            for (std::size_t index = 0; index < count; ++index) {
                check(count, index, index, {3, size}, size + 5);
            }
        }
    }
}

TEST_CASE("a chunk may be summed into any of the blocks") {
    for (const std::size_t count : {2UL, 4UL, 5UL, 8UL, 11UL}) {
        for (std::size_t into = 0; into < count; ++into) check(count, 1, into, {0, 19}, 20);
    }
}

TEST_CASE("a chunk longer than a tile is summed whole") {
    for (const std::size_t count : {3UL, 5UL, 7UL, 10UL}) {
        for (const std::size_t size : {4095UL, 4096UL, 4097UL, 9000UL}) {
            check(count, 2, 0, {7, size}, size + 9);
        }
    }
}
