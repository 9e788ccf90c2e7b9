// Medians and their intervals, against hand-computed cases and constructed truth.
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/check.hpp"
#include "experiments/statistics/summary.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("a summary has the median, the range and the count", "[statistics]") {
    const Summary odd = summarise(std::array{3.0, 1.0, 2.0});
    CHECK(odd.n == 3);
    CHECK(odd.median == 2.0);
    CHECK(odd.minimum == 1.0);
    CHECK(odd.maximum == 3.0);
    CHECK(median(std::array{4.0, 1.0, 3.0, 2.0}) == 2.5);
    CHECK(median(std::array{7.0}) == 7.0);
}

TEST_CASE("quantiles lie between the samples", "[statistics]") {
    CHECK(quantile({4.0, 1.0, 2.0, 3.0}, 0.0) == 1.0);
    CHECK(quantile({4.0, 1.0, 2.0, 3.0}, 0.5) == 2.5);
    CHECK(quantile({4.0, 1.0, 2.0, 3.0}, 0.75) == Approx(3.25));
    CHECK(quantile({4.0, 1.0, 2.0, 3.0}, 1.0) == 4.0);
}

TEST_CASE("samples that are no numbers, or none, are refused", "[statistics]") {
    const std::vector<double> none;
    CHECK_THROWS_AS(summarise(none), CheckFailure);
    CHECK_THROWS_AS(summarise(std::array{1.0, kNan}), CheckFailure);
    CHECK_THROWS_AS(median(std::array{1.0, HUGE_VAL}), CheckFailure);
    CHECK_THROWS_AS(order_interval(0), CheckFailure);
}

// 1 - 2 (C(n, 0) + ... + C(n, rank - 1)) / 2^n.
TEST_CASE("the interval of a median has the ranks and the coverage of the binomial distribution",
          "[statistics]") {
    struct Case {
        std::size_t n, rank;
        double coverage;
    };
    for (const Case& each :
         {Case{2, 1, 0.5}, Case{5, 1, 1 - 2.0 / 32}, Case{6, 1, 1 - 2.0 / 64},
          Case{7, 1, 1 - 2.0 / 128}, Case{8, 1, 1 - 2.0 / 256}, Case{9, 2, 1 - 2.0 * 10 / 512},
          Case{10, 2, 1 - 2.0 * 11 / 1024}, Case{12, 3, 1 - 2.0 * 79 / 4096}}) {
        INFO(each.n);
        CHECK(order_interval(each.n).rank == each.rank);
        CHECK(order_interval(each.n).coverage == Approx(each.coverage));
    }
    CHECK(order_interval(2000).coverage >= 0.95);
    CHECK(order_interval(2000).coverage < 0.957);
    CHECK(order_interval(kFewestForInterval).coverage >= 0.95);
    CHECK(order_interval(kFewestForInterval - 1).coverage < 0.95);
}

TEST_CASE("a summary's interval lies between its ranks", "[statistics]") {
    CHECK_FALSE(summarise(std::array{3.0}).interval.has_value());
    const Summary five = summarise(std::array{5.0, 1.0, 4.0, 2.0, 3.0});
    REQUIRE(five.interval.has_value());
    CHECK(five.interval->low == 1.0);
    CHECK(five.interval->high == 5.0);
    const Summary nine = summarise(std::array{9.0, 5.0, 1.0, 4.0, 2.0, 8.0, 3.0, 7.0, 6.0});
    CHECK(nine.interval->low == 2.0);
    CHECK(nine.interval->high == 8.0);
    CHECK(nine.coverage == Approx(1 - 2.0 * 10 / 512));
}

TEST_CASE("a scaled summary is that of the scaled samples", "[statistics]") {
    const std::array samples{5.0, 1.0, 4.0, 2.0, 3.0};
    const Summary half = scaled(summarise(samples), 0.5);
    CHECK(half.median == 1.5);
    CHECK(half.minimum == 0.5);
    CHECK(half.maximum == 2.5);
    CHECK(half.interval->high == 2.5);
    CHECK_THROWS_AS(scaled(summarise(samples), -1.0), CheckFailure);
}

// A skewed distribution, of which only the median is known to the interval: e^0 = 1.
TEST_CASE("intervals hold the true median as often as they say", "[statistics]") {
    std::mt19937_64 engine(11);
    std::normal_distribution<double> normal;
    constexpr int kGroups = 4000;
    for (const std::size_t n : {2U, 5U, 6U, 7U, 9U, 10U, 15U, 30U}) {
        int held = 0;
        std::vector<double> samples(n);
        for (int group = 0; group < kGroups; ++group) {
            for (double& sample : samples) sample = std::exp(normal(engine));
            held += summarise(samples).interval->contains(1.0) ? 1 : 0;
        }
        INFO(n);
        CHECK(held / double{kGroups} == Approx(order_interval(n).coverage).margin(0.02));
    }
}
