// Summaries, ratios and tests of groups, against hand-computed cases and constructed truth.
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

/// `n` samples around `centre` that deviate by about the share `deviation`.
std::vector<double> noisy(std::mt19937_64& engine, std::size_t n, double centre, double deviation) {
    std::normal_distribution<double> normal(0.0, deviation);
    std::vector<double> samples(n);
    for (double& sample : samples) sample = centre * std::exp(normal(engine));
    return samples;
}

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
    CHECK_THROWS_AS(ratio_of_medians(std::array{1.0}, std::array{0.0}), CheckFailure);
    CHECK_THROWS_AS(paired_ratio(std::array{1.0, 2.0}, std::array{1.0}), CheckFailure);
    CHECK_THROWS_AS(paired_ratio(std::array{1.0, -2.0}, std::array{1.0, 1.0}), CheckFailure);
    CHECK_THROWS_AS(permutation_test(std::array{1.0, kNan}, std::array{1.0, 2.0}), CheckFailure);
}

TEST_CASE("fewer than five samples have no bootstrap interval", "[statistics]") {
    CHECK_FALSE(summarise(std::array{1.0, 2.0, 3.0, 4.0}).interval95.has_value());
    CHECK_FALSE(ratio_of_medians(std::array{1.0, 2.0, 3.0, 4.0, 5.0}, std::array{1.0, 2.0})
                    .interval95.has_value());
}

// Of 5 samples a resample's median is the least with probability 0.058, more than 2.5 %.
TEST_CASE("the interval of five samples' median is their range", "[statistics]") {
    const auto interval = summarise(std::array{5.0, 1.0, 4.0, 2.0, 3.0}).interval95;
    REQUIRE(interval.has_value());
    CHECK(interval->low == 1.0);
    CHECK(interval->high == 5.0);
}

TEST_CASE("equal samples give an interval of no width", "[statistics]") {
    const std::array<double, 6> samples{2.0, 2.0, 2.0, 2.0, 2.0, 2.0};
    const auto interval = summarise(samples).interval95;
    REQUIRE(interval.has_value());
    CHECK(interval->low == 2.0);
    CHECK(interval->high == 2.0);
}

TEST_CASE("equal samples give equal intervals at every call", "[statistics]") {
    std::mt19937_64 engine(3);
    const std::vector<double> a = noisy(engine, 40, 4.0, 0.1);
    const std::vector<double> b = noisy(engine, 40, 2.0, 0.1);
    CHECK(summarise(a).interval95->low == summarise(a).interval95->low);
    const auto first = ratio_of_medians(a, b).interval95;
    const auto second = ratio_of_medians(a, b).interval95;
    CHECK(first->low == second->low);
    CHECK(first->high == second->high);
}

// Of 20 samples order statistics 6 and 15 hold the median with probability 0.959 (binomial).
TEST_CASE("the interval of twenty samples' median is that of the order statistics",
          "[statistics]") {
    std::vector<double> samples(20);
    for (std::size_t i = 0; i < 20; ++i) samples[i] = static_cast<double>(i + 1);
    const auto interval = summarise(samples).interval95;
    REQUIRE(interval.has_value());
    CHECK(interval->low == Approx(6.0).margin(0.6));
    CHECK(interval->high == Approx(15.0).margin(0.6));
}

TEST_CASE("a ratio of medians is made of both groups' medians", "[statistics]") {
    const Ratio ratio = ratio_of_medians(std::array{9.0, 10.0, 11.0, 10.5, 9.5},
                                         std::array{5.0, 4.9, 5.1, 4.8, 5.2});
    CHECK(ratio.value == Approx(2.0));
    REQUIRE(ratio.interval95.has_value());
    CHECK(ratio.interval95->low >= 9.0 / 5.2);
    CHECK(ratio.interval95->low < 1.95);
    CHECK(ratio.interval95->high <= 11.0 / 4.8);
    CHECK(ratio.interval95->high > 2.05);
}

// 1 and 4: geometric mean 2; the logarithms' mean is ln 2, their deviation ln 4 / sqrt(2), and
// Student's t for one degree of freedom is 12.706.
TEST_CASE("the paired ratio of two pairs is the hand-computed one", "[statistics]") {
    const PairedRatio result = paired_ratio(std::array{3.0, 8.0}, std::array{3.0, 2.0});
    CHECK(result.pairs == 2);
    CHECK(result.ratio == Approx(2.0));
    REQUIRE(result.interval95.has_value());
    const double half = 12.7062 * std::log(4.0) / std::sqrt(2.0) / std::sqrt(2.0);
    CHECK(std::log(result.interval95->high) == Approx(std::log(2.0) + half).epsilon(1e-5));
    CHECK(std::log(result.interval95->low) == Approx(std::log(2.0) - half).epsilon(1e-5));
    CHECK_FALSE(result.difference_shown);
}

TEST_CASE("one pair has a ratio and shows nothing", "[statistics]") {
    const PairedRatio result = paired_ratio(std::array{3.0}, std::array{2.0});
    CHECK(result.ratio == Approx(1.5));
    CHECK_FALSE(result.interval95.has_value());
    CHECK_FALSE(result.difference_shown);
}

// A drift of 30 % that both of a pair share hides a difference of 1 % from unpaired groups.
TEST_CASE("pairs show a small difference under a drift that both share", "[statistics]") {
    const std::array threads{1.000, 1.100, 1.200, 1.300, 1.150};
    const std::array procs{1.011, 1.110, 1.213, 1.312, 1.162};
    const PairedRatio result = paired_ratio(procs, threads);
    CHECK(result.ratio == Approx(1.01).margin(0.001));
    CHECK(result.difference_shown);
    CHECK(ratio_of_medians(procs, threads).interval95->contains(1.0));
}

TEST_CASE("groups that do not differ show no difference", "[statistics]") {
    const PairedRatio noise = paired_ratio(std::array{1.00, 1.03, 0.98, 1.01, 0.99},
                                           std::array{1.01, 1.00, 1.00, 0.99, 1.00});
    CHECK_FALSE(noise.difference_shown);
    const PairedRatio same = paired_ratio(std::array{1.0, 1.1, 1.2}, std::array{1.0, 1.1, 1.2});
    CHECK(same.ratio == 1.0);
    CHECK_FALSE(same.difference_shown);
}

TEST_CASE("intervals of ratios hold the true ratio about 95 times in 100", "[statistics]") {
    std::mt19937_64 engine(11);
    int paired = 0;
    int unpaired = 0;
    for (int group = 0; group < 300; ++group) {
        const std::vector<double> a = noisy(engine, 5, 1.2, 0.03);
        const std::vector<double> b = noisy(engine, 5, 1.0, 0.03);
        paired += paired_ratio(a, b).interval95->contains(1.2) ? 1 : 0;
        unpaired += ratio_of_medians(a, b).interval95->contains(1.2) ? 1 : 0;
    }
    // Of 300 draws at 95 %, three standard deviations are 11.
    CHECK(paired >= 274);
    CHECK(paired <= 296);
    CHECK(unpaired >= 274);
}

TEST_CASE("the permutation test counts the arrangements by hand", "[statistics]") {
    // Two groups of 3 without overlap: 2 of the 20 arrangements are as far apart.
    const Difference apart = permutation_test(std::array{1.0, 1.1, 1.2}, std::array{2.0, 2.1, 2.2});
    CHECK(apart.exact);
    CHECK(apart.p_value == Approx(0.1));
    CHECK(apart.least_p_value == Approx(0.1));
    // 1 against 2 and 4: arrangements with 1, 2, 4 alone lie ln 8 / 2 = 1.04, 0 and 1.04 apart.
    const Difference few = permutation_test(std::array{1.0}, std::array{2.0, 4.0});
    CHECK(few.p_value == Approx(2.0 / 3.0));
    CHECK(few.least_p_value == Approx(1.0 / 3.0));
    CHECK(permutation_test(std::array{2.0}, std::array{1.0, 4.0}).p_value == 1.0);
}

TEST_CASE("the least p-value falls with the repetitions", "[statistics]") {
    const std::array a{1.0, 1.1, 1.2, 1.3, 1.4};
    const std::array b{2.0, 2.1, 2.2, 2.3, 2.4};
    CHECK(permutation_test(std::span(a).first(4), std::span(b).first(4)).p_value ==
          Approx(2.0 / 70.0));
    CHECK(permutation_test(a, b).p_value == Approx(2.0 / 252.0));
    CHECK(permutation_test(a, a).p_value == 1.0);
}

TEST_CASE("many samples are tested by a choice of the arrangements", "[statistics]") {
    std::mt19937_64 engine(2);
    const std::vector<double> a = noisy(engine, 12, 1.00, 0.02);
    const std::vector<double> b = noisy(engine, 12, 1.10, 0.02);
    const Difference apart = permutation_test(a, b);
    CHECK_FALSE(apart.exact);
    CHECK(apart.p_value < 1e-4);
    CHECK(apart.p_value >= apart.least_p_value);
    const std::vector<double> again = noisy(engine, 12, 1.00, 0.02);
    CHECK(permutation_test(a, again).p_value > 0.05);
}

TEST_CASE("equal groups are told apart about five times in 100", "[statistics]") {
    std::mt19937_64 engine(23);
    int shown = 0;
    for (int group = 0; group < 1000; ++group) {
        const std::vector<double> a = noisy(engine, 5, 1.0, 0.03);
        const std::vector<double> b = noisy(engine, 5, 1.0, 0.03);
        shown += permutation_test(a, b).p_value <= 0.05 ? 1 : 0;
    }
    // 12 of the 252 arrangements: 4.8 %, give or take three standard deviations of 1,000 draws.
    CHECK(shown >= 27);
    CHECK(shown <= 69);
}
