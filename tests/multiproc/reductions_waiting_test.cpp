// Every reduction of the table between forked processes: whom it waits for, and how that ends.
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "multiproc/reductions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process_ranks.hpp"
#include "tests/support/sums.hpp"

using namespace dp;
using core::ChannelExchange;
using multiproc::Reduction;
using multiproc::SharedSegment;
using tests::all;
using tests::Case;
using tests::count_in_ranks;
using tests::for_each_reduction;
using tests::kThreeBuckets;

TEST_CASE("to hand over and to make progress does not wait for a rank that is late") {
    for_each_reduction([](const Reduction& reduction) {
        const Case test{reduction, 3, kThreeBuckets, 1000};
        const auto late = count_in_ranks(test, [&](ChannelExchange& exchange, std::size_t rank) {
            const auto start = std::chrono::steady_clock::now();
            exchange.begin_step();
            tests::fill_integers(rank, 0, exchange.gradients());
            if (rank == 1) usleep(300'000);
            for (std::size_t b = 1; b <= kThreeBuckets.size(); ++b) {
                exchange.hand_over(b);
                exchange.progress();
            }
            const bool waited = std::chrono::steady_clock::now() - start >
                                std::chrono::milliseconds(rank == 1 ? 60'000 : 150);
            exchange.finish(kThreeBuckets.size());
            std::vector<float> parameters(1000);
            return tests::count_wrong_updates(exchange, 3, 0, parameters) + (waited ? 1 : 0);
        });
        CHECK(late == all(3, 0));
    });
}

TEST_CASE("progress() of the last rank to hand over moves the sum on, and counts it as hidden") {
    for_each_reduction([](const Reduction& reduction) {
        constexpr std::size_t kSize = 100'000;
        SharedSegment segment(reduction.plan(2, kSize));
        const auto early = reduction.make({segment, 0, {{0, kSize}}, kSize});
        const auto late = reduction.make({segment, 1, {{0, kSize}}, kSize});
        for (const auto& exchange : {early.get(), late.get()}) {
            exchange->begin_step();
            exchange->hand_over(1);
        }
        CHECK(late->stats().hidden_seconds == 0.0);
        late->progress();
        CHECK(late->stats().hidden_seconds > 0.0);
    });
}

TEST_CASE("a rank that never hands over lets the others' finish end with code 7") {
    for_each_reduction([](const Reduction& reduction) {
        const Case test{reduction, 2, {{0, 64}}, 64, 0.2};
        const auto error = tests::error_of([&] {
            count_in_ranks(test, [](ChannelExchange& exchange, std::size_t rank) {
                exchange.begin_step();
                if (rank == 1) {
                    for (;;) pause();
                }
                exchange.reduce();
                return 0;
            });
        });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kStalled);
    });
}

TEST_CASE("a rank that waits in finish is released when another has failed") {
    for_each_reduction([](const Reduction& reduction) {
        const Case test{reduction, 2, {{0, 64}}, 64};
        const auto error = tests::error_of([&] {
            count_in_ranks(test, [](ChannelExchange& exchange, std::size_t rank) {
                exchange.begin_step();
                if (rank == 1) {
                    usleep(100'000);  // until rank 0 sleeps
                    throw core::Error(core::ExitCode::kData, "rank 1 is out of data");
                }
                exchange.reduce();
                return 0;
            });
        });
        REQUIRE(error);
        CHECK(std::string(error->what()) == "rank 1 is out of data");
    });
}
