// The in-place reduction of the threads, and the team it runs in.
#include "threaded/shared_exchange.hpp"

#include <omp.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/wait.hpp"
#include "multiproc/process_group.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/sums.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using threaded::SharedExchange;
using threaded::SharedTeam;

namespace {

/// Reduces `rounds` times with `world` threads and returns how many floats of the ranks' chunks
/// were wrong.
std::size_t count_wrong(std::size_t world, const std::vector<core::Range>& buckets,
                        std::size_t size) {
    SharedTeam team(world, buckets, 60.0);
    std::vector<std::vector<float>> gradients(world, std::vector<float>(size));
    std::vector<std::size_t> wrong(world);
    threaded::run_team(
        world,
        [&](std::size_t rank) {
            SharedExchange exchange(team, rank, gradients[rank]);
            for (std::size_t round = 0; round < 3; ++round) {
                exchange.begin_step();
                tests::fill_integers(rank, round, gradients[rank]);
                if (rank == round) usleep(2000);
                exchange.reduce();
                for (const core::Range& range : exchange.update_ranges()) {
                    wrong[rank] += tests::count_wrong_integers(world, round, range,
                                                               exchange.summed_gradients());
                }
                exchange.publish();
            }
        },
        [&] { team.failed.store(1); });
    std::size_t sum = 0;
    for (const std::size_t count : wrong) sum += count;
    return sum;
}

}  // namespace

TEST_CASE("the in-place reduction gives every rank the exact sum of its chunk") {
    for (const std::size_t world : tests::kWorldSizes) {
        for (const std::size_t size : tests::sizes_for(world)) {
            INFO("world size " << world << " size " << size);
            CHECK(count_wrong(world, {{0, size}}, size) == 0);
        }
    }
}

TEST_CASE("the in-place reduction of several buckets gives the exact sums") {
    for (const std::size_t world : tests::kWorldSizes) {
        CHECK(count_wrong(world, {{600, 400}, {16, 584}, {0, 16}}, 1000) == 0);
    }
}

TEST_CASE("threads may hand over bucket by bucket, make progress and be late") {
    const std::vector<core::Range> buckets{{600, 400}, {16, 584}, {0, 16}};
    for (const std::size_t world : tests::kWorldSizes) {
        SharedTeam team(world, buckets, 60.0);
        std::vector<std::vector<float>> gradients(world, std::vector<float>(1000));
        std::vector<std::size_t> wrong(world);
        threaded::run_team(
            world,
            [&](std::size_t rank) {
                SharedExchange exchange(team, rank, gradients[rank]);
                for (std::size_t round = 0; round < 50; ++round) {
                    exchange.begin_step();
                    for (std::size_t b = 0; b < buckets.size(); ++b) {
                        const core::Range bucket = buckets[b];
                        for (std::size_t i = bucket.offset; i < bucket.offset + bucket.size; ++i) {
                            gradients[rank][i] = tests::integer_at(rank, round, i);
                        }
                        if ((round + b) % (world + 1) == rank) usleep(200);
                        exchange.hand_over(b + 1);
                        exchange.progress();
                    }
                    exchange.finish();
                    for (const core::Range& range : exchange.update_ranges()) {
                        wrong[rank] += tests::count_wrong_integers(world, round, range,
                                                                   exchange.summed_gradients());
                    }
                    exchange.publish();
                }
            },
            [&] { team.failed.store(1); });
        CHECK(wrong == std::vector<std::size_t>(world));
    }
}

TEST_CASE("to hand over and to make progress does not wait for a thread that is late") {
    SharedTeam team(3, {{32, 32}, {0, 32}}, 60.0);
    std::vector<int> waited(3);
    threaded::run_team(
        3,
        [&](std::size_t rank) {
            std::vector<float> gradients(64);
            SharedExchange exchange(team, rank, gradients);
            const auto start = std::chrono::steady_clock::now();
            if (rank == 1) usleep(300'000);
            for (const std::size_t count : {1UL, 2UL}) {
                exchange.hand_over(count);
                exchange.progress();
            }
            const auto took = std::chrono::steady_clock::now() - start;
            waited[rank] = rank != 1 && took > std::chrono::milliseconds(150);
            exchange.finish();
            exchange.publish();
        },
        [&] { team.failed.store(1); });
    CHECK(waited == std::vector<int>(3));
}

TEST_CASE("progress() sums what all threads have handed over, and counts it as hidden") {
    constexpr std::size_t kSize = 100'000;
    SharedTeam team(2, {{0, kSize}}, 60.0);
    std::vector<std::vector<float>> gradients(2, std::vector<float>(kSize));
    SharedExchange early(team, 0, gradients[0]);
    SharedExchange late(team, 1, gradients[1]);
    early.hand_over(1);
    early.progress();
    CHECK(early.stats().hidden_seconds == 0.0);
    late.hand_over(1);
    late.progress();
    CHECK(late.stats().hidden_seconds > 0.0);
}

TEST_CASE("a deadline names the thread that did not come") {
    SharedTeam team(3, {{0, 64}}, 0.2);
    const auto error = tests::error_of([&] {
        threaded::run_team(
            3,
            [&](std::size_t rank) {
                std::vector<float> gradients(64);
                SharedExchange exchange(team, rank, gradients);
                if (rank == 1) {
                    usleep(400'000);  // past the deadline and back before the process is ended
                    return;
                }
                exchange.reduce();
            },
            [&] { team.failed.store(1); });
    });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kStalled);
    CHECK(tests::holds(error->what(), "worker 1 has stalled"));
}

TEST_CASE("every float of a block is in the update ranges of exactly one rank") {
    constexpr std::size_t kSize = 1000;
    for (const std::size_t world : tests::kWorldSizes) {
        SharedTeam team(world, {{600, 400}, {0, 600}}, 60.0);
        std::vector<int> owners(kSize);
        std::vector<float> gradients(kSize);
        for (std::size_t rank = 0; rank < world; ++rank) {
            const SharedExchange exchange(team, rank, gradients);
            for (const core::Range& range : exchange.update_ranges()) {
                for (std::size_t i = 0; i < range.size; ++i) ++owners[range.offset + i];
            }
        }
        CHECK(owners == std::vector<int>(kSize, 1));
    }
}

TEST_CASE("threads broadcast rank 0's values and gather every rank's in order") {
    for (const std::size_t world : tests::kWorldSizes) {
        SharedTeam team(world, {}, 60.0);
        std::vector<int> wrong(world);
        threaded::run_team(
            world,
            [&](std::size_t rank) {
                SharedExchange exchange(team, rank, {});
                wrong[rank] = tests::count_wrong_collectives(exchange, rank, world);
            },
            [&] { team.failed.store(1); });
        CHECK(wrong == std::vector<int>(world));
    }
}

TEST_CASE("a thread that throws ends the whole team and its error is the one told") {
    SharedTeam team(4, {{0, 64}}, 60.0);
    const auto start = std::chrono::steady_clock::now();
    const auto error = tests::error_of([&] {
        threaded::run_team(
            4,
            [&](std::size_t rank) {
                std::vector<float> gradients(64);
                SharedExchange exchange(team, rank, gradients);
                if (rank == 2) {
                    throw core::Error(core::ExitCode::kData, "rank 2 is out of data");
                }
                exchange.reduce();
            },
            [&] { team.failed.store(1); });
    });
    REQUIRE(error);
    CHECK(std::string(error->what()) == "rank 2 is out of data");
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE(
    "a thread that stands still past the deadline ends its process with code 7 and is named") {
    multiproc::GroupCallbacks child;
    std::function<void(const core::Error&)> leave;
    child.on_start = [&](std::function<void(const core::Error&)> given) { leave = given; };
    child.work = [&](std::size_t) -> std::string {
        SharedTeam team(2, {{0, 64}}, 0.2);
        threaded::run_team(
            2,
            [&](std::size_t rank) {
                std::vector<float> gradients(64);
                SharedExchange exchange(team, rank, gradients);
                if (rank == 1) {
                    for (;;) pause();
                }
                exchange.reduce();
            },
            [&] { team.failed.store(1); }, leave);
        return "";
    };
    const auto start = std::chrono::steady_clock::now();
    const auto error = tests::error_of([&] { multiproc::run_process_group(1, child); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kStalled);
    CHECK(tests::holds(error->what(), "worker 1 has stalled"));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
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
