// Every reduction of the threads' table, and the team it runs in.
#include "threaded/reductions.hpp"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "multiproc/process_group.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/sums.hpp"
#include "tests/threaded/teams.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using namespace dp::tests;
using threaded::Reduction;
using threaded::SharedTeam;

namespace {

/// Floats of this rank's chunks that are not the sum over `world` ranks.
std::size_t wrong_sums(const core::GradientExchange& exchange, std::size_t world,
                       std::size_t round) {
    std::size_t wrong = 0;
    for (const core::Range& range : exchange.update_ranges()) {
        wrong += tests::count_wrong_integers(world, round, range, exchange.summed_gradients());
    }
    return wrong;
}

/// Wrong sums over a few steps, in which rank r sleeps in step r.
std::vector<std::size_t> count_wrong(const Case& test) {
    return count_in_ranks(test, [&](auto& exchange, auto& gradients, std::size_t rank) {
        std::size_t wrong = 0;
        for (std::size_t round = 0; round < 3; ++round) {
            exchange.begin_step();
            tests::fill_integers(rank, round, gradients);
            if (rank == round) usleep(2000);
            exchange.reduce();
            wrong += wrong_sums(exchange, test.world, round);
            exchange.publish({});
        }
        return wrong;
    });
}

}  // namespace

TEST_CASE("every reduction between threads gives every rank the exact sum of its chunk") {
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        for (const std::size_t size : tests::sizes_for(world)) {
            INFO("size " << size);
            CHECK(count_wrong({reduction, world, {{0, size}}, size}) == zeros(world));
        }
        CHECK(count_wrong({reduction, world, kThreeBuckets, 1000}) == zeros(world));
    });
}

TEST_CASE("counters that wrap at 2^32 change no sum between threads") {
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        Case test{reduction, world, kThreeBuckets, 1000};
        test.first_count = std::numeric_limits<std::uint32_t>::max() - 4;
        CHECK(count_wrong(test) == zeros(world));
    });
}

TEST_CASE("threads may hand over bucket by bucket, make progress and be late") {
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        const auto body = [&](auto& exchange, auto& gradients, std::size_t rank) {
            std::size_t wrong = 0;
            for (std::size_t round = 0; round < 50; ++round) {
                exchange.begin_step();
                for (std::size_t b = 0; b < kThreeBuckets.size(); ++b) {
                    const core::Range bucket = kThreeBuckets[b];
                    for (std::size_t i = bucket.offset; i < bucket.offset + bucket.size; ++i) {
                        gradients[i] = tests::integer_at(rank, round, i);
                    }
                    if ((round + b) % (world + 1) == rank) usleep(200);
                    exchange.hand_over(b + 1);
                    exchange.progress();
                }
                exchange.finish(kThreeBuckets.size());
                wrong += wrong_sums(exchange, world, round);
                exchange.publish({});
            }
            return wrong;
        };
        CHECK(count_in_ranks({reduction, world, kThreeBuckets, 1000}, body) == zeros(world));
    });
}

TEST_CASE("buckets summed one by one between threads give the exact sums, each in a call") {
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        const auto body = [&](auto& exchange, auto& gradients, std::size_t rank) {
            std::size_t wrong = 0;
            for (std::size_t round = 0; round < 20; ++round) {
                exchange.begin_step();
                tests::fill_integers(rank, round, gradients);
                exchange.reduce_one_by_one();
                wrong += wrong_sums(exchange, world, round);
                exchange.publish({});
            }
            return wrong + (exchange.stats().calls == 60 ? 0 : 1);
        };
        CHECK(count_in_ranks({reduction, world, kThreeBuckets, 1000}, body) == zeros(world));
    });
}

TEST_CASE("every reduction between threads sends what its row states") {
    constexpr std::size_t kSize = 16 * 7 * 4 * 3;  // equal chunks for every world size
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        if (world == 1) return;
        const auto sent = count_in_ranks({reduction, world, {{0, kSize}}, kSize},
                                         [](auto& exchange, auto& /*gradients*/, std::size_t) {
                                             exchange.reduce();
                                             exchange.publish({});
                                             return exchange.stats().sent_bytes;
                                         });
        // Of the rank that does most.
        const double stated = reduction.traits.sent_per_byte(static_cast<double>(world));
        CHECK(std::ranges::max(sent) ==
              static_cast<std::size_t>(std::lround(stated * kSize * sizeof(float))));
    });
}

TEST_CASE("to hand over and to make progress does not wait for a thread that is late") {
    for (const Reduction& reduction : watched_reductions()) {
        const auto waited = count_in_ranks(
            {reduction, 3, {{32, 32}, {0, 32}}, 64}, [](auto& exchange, auto&, std::size_t rank) {
                const auto start = std::chrono::steady_clock::now();
                if (rank == 1) usleep(300'000);
                for (const std::size_t count : {1UL, 2UL}) {
                    exchange.hand_over(count);
                    exchange.progress();
                }
                const auto took = std::chrono::steady_clock::now() - start;
                exchange.finish(2);
                exchange.publish({});
                return rank != 1 && took > std::chrono::milliseconds(150);
            });
        CHECK(waited == zeros(3));
    }
}

TEST_CASE("progress() sums what all threads have handed over, and counts it as hidden") {
    for (const Reduction& reduction : watched_reductions()) {
        if (!reduction.traits.overlaps) continue;
        INFO("reduction " << reduction.traits.name);
        constexpr std::size_t kSize = 100'000;
        SharedTeam team(2, {{0, kSize}}, 60.0);
        std::vector<std::vector<float>> gradients(2, std::vector<float>(kSize));
        const auto early = reduction.make({team, 1, gradients[1]});
        const auto late = reduction.make({team, 0, gradients[0]});
        early->hand_over(1);
        early->progress();
        CHECK(early->stats().hidden_seconds == 0.0);
        late->hand_over(1);
        late->progress();
        CHECK(late->stats().hidden_seconds > 0.0);
    }
}

TEST_CASE("a deadline names the thread that did not come") {
    for (const Reduction& reduction : watched_reductions()) {
        const auto error = tests::error_of([&] {
            count_in_ranks({reduction, 3, {{0, 64}}, 64, 0.2},
                           [](auto& exchange, auto&, std::size_t rank) {
                               // Past the deadline and back before the process is ended.
                               if (rank == 1) usleep(400'000);
                               if (rank != 1) exchange.reduce();
                               return 0;
                           });
        });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kStalled);
        CHECK(tests::holds(error->what(), "worker 1 has stalled"));
    }
}

TEST_CASE("every float of a block is in the update ranges of exactly one rank") {
    constexpr std::size_t kSize = 1000;
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        SharedTeam team(world, {{600, 400}, {0, 600}}, 60.0);
        std::vector<int> owners(kSize);
        std::vector<float> gradients(kSize);
        for (std::size_t rank = 0; rank < world; ++rank) {
            const auto exchange = reduction.make({team, rank, gradients});
            for (const core::Range& range : exchange->update_ranges()) {
                for (std::size_t i = 0; i < range.size; ++i) ++owners[range.offset + i];
            }
        }
        CHECK(owners == std::vector<int>(kSize, 1));
    });
}

TEST_CASE("threads broadcast rank 0's values and gather every rank's in order") {
    for_each_reduction([](const Reduction& reduction, std::size_t world) {
        CHECK(count_in_ranks({reduction, world}, [&](auto& exchange, auto&, std::size_t rank) {
                  return tests::count_wrong_collectives(exchange, rank, world);
              }) == zeros(world));
    });
}

TEST_CASE("a thread that throws ends the whole team and its error is the one told") {
    for (const Reduction& reduction : watched_reductions()) {
        const auto start = std::chrono::steady_clock::now();
        const auto error = tests::error_of([&] {
            count_in_ranks(
                {reduction, 4, {{0, 64}}, 64}, [](auto& exchange, auto&, std::size_t rank) {
                    if (rank == 2) {
                        throw core::Error(core::ExitCode::kData, "rank 2 is out of data");
                    }
                    exchange.reduce();
                    return 0;
                });
        });
        REQUIRE(error);
        CHECK(std::string(error->what()) == "rank 2 is out of data");
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
    }
}

TEST_CASE("a thread that stands still does not keep a team whose other thread has failed") {
    multiproc::GroupCallbacks child;
    std::function<void(const core::Error&)> leave;
    child.on_start = [&](std::function<void(const core::Error&)> given) { leave = given; };
    child.work = [&](std::size_t) -> std::string {
        count_in_ranks({.world = 2, .leave = leave}, [](auto&, auto&, std::size_t rank) -> int {
            while (rank == 1) pause();
            throw std::runtime_error("rank 0 is out of paper");
        });
        return "";
    };
    const auto start = std::chrono::steady_clock::now();
    const auto error = tests::error_of([&] { multiproc::run_process_group(1, child); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kRunFailed);
    CHECK(std::string(error->what()) == "rank 0 is out of paper");
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE(
    "a thread that stands still past the deadline ends its process with code 7 and is named") {
    for (const Reduction& reduction : watched_reductions()) {
        INFO("reduction " << reduction.traits.name);
        multiproc::GroupCallbacks child;
        Case test{reduction, 3, kThreeBuckets, 1000, 0.2};
        child.on_start = [&](std::function<void(const core::Error&)> given) { test.leave = given; };
        child.work = [&](std::size_t) -> std::string {
            count_in_ranks(test, [](auto& exchange, auto&, std::size_t rank) {
                exchange.begin_step();
                exchange.hand_over(2);
                while (rank == 1) pause();  // within its backward
                exchange.reduce();
                return 0;
            });
            return "";
        };
        const auto start = std::chrono::steady_clock::now();
        const auto error = tests::error_of([&] { multiproc::run_process_group(1, child); });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kStalled);
        CHECK(tests::holds(error->what(), "worker 1 has stalled"));
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
    }
}

TEST_CASE("fewer threads than workers are an error and not a smaller team") {
    omp_set_dynamic(0);
    // The limit itself is read at start-up only, so ask for more than any limit.
    const auto error = tests::error_of([] {
        omp_set_max_active_levels(0);  // every region then has one thread
        threaded::run_team(
            2, [](std::size_t) {}, [] {});
    });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kResources);
    CHECK(tests::holds(error->what(), "1 threads of 2"));
}

TEST_CASE("every thread of a team calls oneDNN with one thread") {
    std::vector<int> threads(3);
    omp_set_num_threads(2);
    threaded::run_team(
        3, [&](std::size_t rank) { threads[rank] = omp_get_max_threads(); }, [] {});
    CHECK(threads == std::vector<int>(3, 1));
}
