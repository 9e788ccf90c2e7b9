// Who sees which image: DistributedSampler's rules, and the partition of the test set.
#include "core/data/sampler.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"

namespace {

using dp::core::DistributedSampler;
using dp::core::evaluation_range;
using dp::core::IndexRange;
using dp::core::samples_per_rank;
using Indices = std::vector<std::uint32_t>;

constexpr std::size_t kWorldSizes[] = {1, 2, 3, 4, 7};

std::set<std::size_t> sizes_around(std::size_t world_size) {
    return {0, 1, world_size - 1, world_size, world_size + 1, 1001};
}

Indices share(std::size_t n, std::size_t world_size, std::size_t rank, bool shuffle = true,
              std::size_t epoch = 0, std::uint64_t seed = 1) {
    Indices indices;
    DistributedSampler(n, world_size, seed, shuffle).fill(epoch, rank, indices);
    return indices;
}

}  // namespace

TEST_CASE("every rank gets as many samples, and together each image", "[data]") {
    for (const std::size_t world_size : kWorldSizes) {
        for (const std::size_t n : sizes_around(world_size)) {
            std::vector<std::size_t> seen(n, 0);
            for (std::size_t rank = 0; rank < world_size; ++rank) {
                const Indices indices = share(n, world_size, rank);
                REQUIRE(indices.size() == samples_per_rank(n, world_size));
                for (const std::uint32_t index : indices) ++seen.at(index);
            }
            const std::size_t padded = samples_per_rank(n, world_size) * world_size;
            REQUIRE(padded >= n);
            REQUIRE(padded < n + world_size);
            for (const std::size_t count : seen) {
                REQUIRE(count >= padded / n);
                REQUIRE(count <= samples_per_rank(padded, n));
            }
        }
    }
}

TEST_CASE("rank r takes positions r, r + P, ... of the order that one worker sees", "[data]") {
    for (const bool shuffle : {false, true}) {
        for (const std::size_t world_size : kWorldSizes) {
            for (const std::size_t n : sizes_around(world_size)) {
                const Indices whole = share(n, 1, 0, shuffle);
                for (std::size_t rank = 0; rank < world_size; ++rank) {
                    const Indices indices = share(n, world_size, rank, shuffle);
                    for (std::size_t i = 0; i < indices.size(); ++i) {
                        REQUIRE(indices[i] == whole[(rank + i * world_size) % n]);
                    }
                }
            }
        }
    }
}

TEST_CASE("without shuffle the shares are those of PyTorch's DistributedSampler", "[data]") {
    // list(DistributedSampler(range(n), num_replicas=P, rank=r, shuffle=False)), PyTorch 1.13.
    REQUIRE(share(5, 3, 0, false) == Indices{0, 3});
    REQUIRE(share(5, 3, 1, false) == Indices{1, 4});
    REQUIRE(share(5, 3, 2, false) == Indices{2, 0});
    REQUIRE(share(2, 7, 5, false) == Indices{1});
    REQUIRE(share(2, 7, 6, false) == Indices{0});
    REQUIRE(share(8, 4, 3, false) == Indices{3, 7});
}

TEST_CASE("the shuffle is a permutation that depends on seed and epoch alone", "[data]") {
    Indices order = share(1000, 1, 0, true, 3, 5);
    REQUIRE(order == share(1000, 1, 0, true, 3, 5));
    REQUIRE(order != share(1000, 1, 0, true, 4, 5));
    REQUIRE(order != share(1000, 1, 0, true, 3, 6));

    DistributedSampler sampler(1000, 1, 5, true);
    Indices after_others;
    for (const std::size_t epoch : {0, 7, 3}) sampler.fill(epoch, 0, after_others);
    REQUIRE(after_others == order);

    REQUIRE_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    REQUIRE(order == share(1000, 1, 0, false));
}

TEST_CASE("the shuffle favours no place", "[data]") {
    // Each of the 5 * 5 (image, place) pairs: mean 1000, deviation 28; 150 is over five of them.
    std::size_t counts[5][5] = {};
    for (std::size_t epoch = 0; epoch < 5000; ++epoch) {
        const Indices order = share(5, 1, 0, true, epoch);
        for (std::size_t place = 0; place < 5; ++place) ++counts[order[place]][place];
    }
    for (const auto& image : counts) {
        for (const std::size_t count : image) {
            REQUIRE(count > 850);
            REQUIRE(count < 1150);
        }
    }
}

TEST_CASE("the sampler allocates nothing after its first use", "[data]") {
    DistributedSampler sampler(1001, 4, 1, true);
    Indices indices;
    sampler.fill(0, 3, indices);
    const std::size_t before = dp::tests::allocation_count();
    for (std::size_t epoch = 1; epoch < 5; ++epoch) sampler.fill(epoch, epoch - 1, indices);
    REQUIRE(dp::tests::allocation_count() == before);
}

TEST_CASE("evaluation counts every test image exactly once", "[data]") {
    for (const std::size_t world_size : kWorldSizes) {
        for (const std::size_t n : sizes_around(world_size)) {
            std::size_t next = 0;
            for (std::size_t rank = 0; rank < world_size; ++rank) {
                const IndexRange range = evaluation_range(n, world_size, rank);
                REQUIRE(range.begin == next);
                REQUIRE(range.size() >= n / world_size);
                REQUIRE(range.size() <= samples_per_rank(n, world_size));
                next = range.end;
            }
            REQUIRE(next == n);
        }
    }
    REQUIRE(evaluation_range(10, 4, 1) == IndexRange{2, 5});
}
