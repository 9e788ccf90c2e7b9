// Sums in the order of a tree over any number of blocks, against its definition, to the bit.
#include "core/exchange/sum_tree.hpp"

#include <cstddef>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/sums.hpp"

using namespace dp::core;
using dp::tests::Blocks;
using dp::tests::random_blocks;

namespace {

/// What SumOrder::kTree states: neighbouring pairs of the first ranks, until a power of two of sums
/// is left, then pairs of neighbours until one is.
float expected(const Blocks& blocks, std::size_t i) {
    std::size_t power = 1;
    while (2 * power <= blocks.size()) power *= 2;
    std::vector<float> sums;
    for (std::size_t rank = 0; rank < blocks.size();) {
        const bool pair = rank < 2 * (blocks.size() - power);
        sums.push_back(pair ? blocks[rank][i] + blocks[rank + 1][i] : blocks[rank][i]);
        rank += pair ? 2 : 1;
    }
    while (sums.size() > 1) {
        std::vector<float> next;
        for (std::size_t k = 0; k < sums.size(); k += 2) next.push_back(sums[k] + sums[k + 1]);
        sums = next;
    }
    return sums[0];
}

/// Sums `chunk` into block `into` and checks that and all else.
void check(std::size_t count, std::size_t into, Range chunk, std::size_t size) {
    const Blocks before = random_blocks(count, size);
    Blocks blocks = before;
    std::vector<float*> addresses;
    for (auto& block : blocks) addresses.push_back(block.data());
    sum_tree(addresses, chunk, addresses[into]);
    Blocks after = before;
    for (std::size_t i = chunk.offset; i < chunk.offset + chunk.size; ++i) {
        after[into][i] = expected(before, i);
    }
    INFO(count << " blocks, a chunk of " << chunk.size << " into block " << into);
    CHECK((blocks == after));  // not printed: it is long
}

}  // namespace

TEST_CASE("a tree's sum has the stated order for every number of blocks") {
    for (std::size_t count = 1; count <= 17; ++count) {
        for (const std::size_t size : {0UL, 1UL, 37UL}) {
            for (std::size_t into = 0; into < count; ++into) {
                check(count, into, {3, size}, size + 5);
            }
        }
    }
}

TEST_CASE("a tree over a chunk longer than a tile sums it whole") {
    for (const std::size_t count : {1UL, 2UL, 3UL, 7UL, 8UL}) {
        for (const std::size_t size : {1023UL, 1024UL, 1025UL, 5000UL}) {
            check(count, count - 1, {7, size}, size + 9);
        }
    }
}

TEST_CASE("the leaves of a tree are a power of two and name every rank once, in order") {
    for (std::size_t ranks = 1; ranks <= 40; ++ranks) {
        const TreeLeaves leaves(ranks);
        INFO(ranks << " ranks");
        CHECK((leaves.count & (leaves.count - 1)) == 0);
        std::size_t next = 0;
        for (std::size_t leaf = 0; leaf < leaves.count; ++leaf) {
            CHECK(leaves.rank_of(leaf) == next);
            next += leaf < leaves.pairs ? 2 : 1;
        }
        CHECK(next == ranks);
    }
}
