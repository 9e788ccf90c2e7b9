// Sums of floats that round: how far any reduction's may be off, and the stack that one needs.
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "core/exchange/sum_chunk.hpp"
#include "core/exchange/sum_tree.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/threaded/teams.hpp"
#include "threaded/omp_reduction_exchange.hpp"

using namespace dp;
using namespace dp::tests;
using threaded::Reduction;

namespace {

constexpr std::size_t kSize = 1000;

float addend(std::size_t rank, std::size_t i) {
    const core::RandomStream random(11, core::RandomUse::kSynthetic, {rank});
    return (random.uniform(i) - 0.3F) * (rank % 2 == 0 ? 1.F : 1e-3F);
}

std::vector<std::vector<float>> addends(std::size_t world) {
    std::vector<std::vector<float>> blocks(world, std::vector<float>(kSize));
    for (std::size_t rank = 0; rank < world; ++rank) {
        for (std::size_t i = 0; i < kSize; ++i) blocks[rank][i] = addend(rank, i);
    }
    return blocks;
}

/// Calls `check`(i, sum) for each float of each rank's part of the sum; returns how often it is
/// false, by rank.
template <typename Check>
std::vector<std::size_t> count_wrong(const Reduction& reduction, std::size_t world,
                                     const Check& check) {
    const auto blocks = addends(world);
    return count_in_ranks({reduction, world, kThreeBuckets, kSize},
                          [&](auto& exchange, auto& gradients, std::size_t rank) {
                              exchange.begin_step();
                              gradients = blocks[rank];
                              exchange.reduce();
                              std::size_t wrong = 0;
                              for (const core::Range& range : exchange.update_ranges()) {
                                  for (std::size_t i = range.offset; i < range.offset + range.size;
                                       ++i) {
                                      wrong += check(i, exchange.summed_gradients()[i]) ? 0 : 1;
                                  }
                              }
                              exchange.publish({});
                              return wrong;
                          });
}

}  // namespace

TEST_CASE("in whatever order threads add, their sum is within the bound of the exact one") {
    // Each of the N - 1 additions rounds once, by at most u of its result, which is at most
    // sum |g| (1 + u)^(N - 2): so |error| <= (N - 1) u sum |g| / (1 - (N - 1) u) (Higham, "Accuracy
    // and Stability of Numerical Algorithms", 2nd edition, section 4.2). The sum in double is exact
    // to 2^-52 of it.
    const double u = std::ldexp(1.0, -24);
    for_each_reduction([&](const Reduction& reduction, std::size_t world) {
        const auto blocks = addends(world);
        const double n = static_cast<double>(world) - 1.0;
        const auto within = [&](std::size_t i, float sum) {
            double exact = 0.0;
            double magnitude = 0.0;
            for (const auto& block : blocks) {
                exact += static_cast<double>(block[i]);
                magnitude += std::abs(static_cast<double>(block[i]));
            }
            const double bound = n * u / (1.0 - n * u) * magnitude + std::ldexp(magnitude, -50);
            return std::abs(static_cast<double>(sum) - exact) <= bound;
        };
        CHECK(count_wrong(reduction, world, within) == zeros(world));
    });
}

TEST_CASE("threads add in the order that the row of their reduction states") {
    for_each_reduction([&](const Reduction& reduction, std::size_t world) {
        const core::SumOrder order = reduction.traits.order;
        if (order == core::SumOrder::kUnordered) return;
        auto blocks = addends(world);
        std::vector<float*> addresses;
        for (auto& block : blocks) addresses.push_back(block.data());
        std::vector<float> expected(kSize);
        for (const core::Range& bucket : kThreeBuckets) {
            for (std::size_t c = 0; c < world; ++c) {
                const core::Range chunk = core::chunk_of(bucket, world, c);
                if (order == core::SumOrder::kTree) {
                    core::sum_tree(addresses, chunk, expected.data());
                } else {
                    core::sum_chunk(addresses, c, chunk, expected.data());
                }
            }
        }
        const auto equal = [&](std::size_t i, float sum) { return sum == expected[i]; };
        CHECK(count_wrong(reduction, world, equal) == zeros(world));
    });
}

TEST_CASE("a thread whose stack cannot hold the private copy is refused with the size it needs") {
    // The largest bucket and 1 MiB: more than any stack here.
    constexpr std::size_t kFloats = std::size_t{1} << 40;
    const Buckets too_large{{0, 4}, {4, kFloats}};
    const auto refused = error_of([&] { threaded::check_stack(too_large, 3); });
    REQUIRE(refused);
    CHECK(refused->code() == core::ExitCode::kResources);
    CHECK(holds(refused->what(), "worker 3"));
    CHECK(holds(refused->what(), "OMP_STACKSIZE=4294968320K"));
    CHECK(holds(refused->what(), "ulimit -s 4294968320"));
    CHECK_FALSE(error_of([&] { threaded::check_stack(kThreeBuckets, 0); }));
}
