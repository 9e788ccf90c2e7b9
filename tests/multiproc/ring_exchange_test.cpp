// The ring between forked processes. What a child finds wrong comes back as its report.
#include "multiproc/ring_exchange.hpp"

#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/train/sum_chunk.hpp"
#include "multiproc/process_group.hpp"
#include "multiproc/shared_segment.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sums.hpp"

using namespace dp;
using multiproc::RingExchange;
using multiproc::SharedSegment;

namespace {

/// Forks `world` ranks that each count what is wrong; returns the counts.
template <typename Count>
std::vector<std::string> count_in_ranks(std::size_t world, const Count& count) {
    SharedSegment segment(world);
    multiproc::GroupCallbacks callbacks;
    callbacks.work = [&](std::size_t rank) { return std::to_string(count(segment, rank)); };
    callbacks.on_failure = [&] { segment.failed().store(1); };
    return multiproc::run_process_group(world, callbacks);
}

std::vector<std::string> zeros(std::size_t world) { return std::vector<std::string>(world, "0"); }

std::vector<std::string> count_wrong(std::size_t world, const std::vector<core::Range>& buckets,
                                     std::size_t size) {
    return count_in_ranks(world, [&](SharedSegment& segment, std::size_t rank) {
        std::vector<float> gradients(size);
        RingExchange exchange(segment, rank, buckets, gradients, 60.0);
        std::size_t wrong = 0;
        for (std::size_t round = 0; round < 3; ++round) {
            tests::fill_integers(rank, round, gradients);
            exchange.reduce();
            wrong +=
                tests::count_wrong_integers(world, round, {0, size}, exchange.summed_gradients());
        }
        return wrong;
    });
}

}  // namespace

TEST_CASE("ring all-reduce gives every rank the exact sum") {
    for (const std::size_t world : tests::kWorldSizes) {
        for (const std::size_t size : tests::sizes_for(world)) {
            INFO("world size " << world << " size " << size);
            CHECK(count_wrong(world, {{0, size}}, size) == zeros(world));
        }
    }
}

TEST_CASE("ring all-reduce of several buckets gives the exact sums") {
    for (const std::size_t world : tests::kWorldSizes) {
        CHECK(count_wrong(world, {{600, 400}, {16, 584}, {0, 16}}, 1000) == zeros(world));
    }
}

TEST_CASE("the ring adds in the stated order to the last bit") {
    constexpr std::size_t kSize = 5000;
    const core::Range bucket{0, kSize};
    for (const std::size_t world : tests::kWorldSizes) {
        const auto fill = [](std::size_t rank) {
            const core::RandomStream random(5, core::RandomUse::kSynthetic, {rank});
            std::vector<float> values(kSize);
            for (std::size_t i = 0; i < kSize; ++i) values[i] = random.uniform(i) - 0.5F;
            return values;
        };
        std::vector<std::vector<float>> all;
        std::vector<float*> blocks;
        for (std::size_t rank = 0; rank < world; ++rank) all.push_back(fill(rank));
        for (auto& block : all) blocks.push_back(block.data());
        std::vector<float> expected(kSize);
        for (std::size_t c = 0; c < world; ++c) {
            core::sum_chunk(blocks, c, core::chunk_of(bucket, world, c), expected.data());
        }
        const auto wrong = count_in_ranks(world, [&](SharedSegment& segment, std::size_t rank) {
            std::vector<float> gradients = fill(rank);
            RingExchange exchange(segment, rank, {bucket}, gradients, 60.0);
            exchange.reduce();
            return std::memcmp(gradients.data(), expected.data(), kSize * sizeof(float)) != 0;
        });
        CHECK(wrong == zeros(world));
    }
}

TEST_CASE("the ring broadcasts rank 0's values and gathers every rank's in order") {
    for (const std::size_t world : tests::kWorldSizes) {
        CHECK(count_in_ranks(world, [&](SharedSegment& segment, std::size_t rank) {
                  RingExchange exchange(segment, rank, {}, {}, 60.0);
                  return tests::count_wrong_collectives(exchange, rank, world);
              }) == zeros(world));
    }
}

TEST_CASE("a rank that waits on the ring is released when another has failed") {
    const auto released = count_in_ranks(2, [](SharedSegment& segment, std::size_t rank) {
        if (rank == 1) {
            usleep(100'000);  // until rank 0 sleeps
            segment.failed().store(1);
            return 1;
        }
        RingExchange exchange(segment, rank, {}, {}, 60.0);
        std::array<std::byte, 2> all{};
        try {
            exchange.all_gather(std::span(all).first(1), all);
        } catch (const core::PeerFailed&) {
            return 1;
        }
        return 0;
    });
    CHECK(released == std::vector<std::string>{"1", "1"});
}

TEST_CASE("the ring sends two times the block less one chunk whatever the world size") {
    constexpr std::size_t kSize = 16 * 7 * 4 * 3;  // equal chunks for every world size below
    for (const std::size_t world : {2UL, 3UL, 4UL, 7UL}) {
        const auto sent = count_in_ranks(world, [&](SharedSegment& segment, std::size_t rank) {
            std::vector<float> gradients(kSize);
            RingExchange exchange(segment, rank, {{0, kSize}}, gradients, 60.0);
            exchange.reduce();
            return exchange.stats().sent_bytes;
        });
        const std::size_t expected = 2 * (world - 1) * kSize * sizeof(float) / world;
        CHECK(sent == std::vector<std::string>(world, std::to_string(expected)));
    }
}
