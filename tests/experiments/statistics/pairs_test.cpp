// The test of pairs, against hand-computed cases and constructed truth.
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/check.hpp"
#include "experiments/statistics/pairs.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

/// The share of simulated groups of `n` pairs, whose differences have this mean and a deviation of
/// 1, that the test calls different at `level`.
double share_shown(std::size_t n, double mean, double level) {
    std::mt19937_64 engine(17);
    std::normal_distribution<double> normal(mean, 1.0);
    constexpr int kGroups = 4000;
    int shown = 0;
    std::vector<double> differences(n);
    for (int group = 0; group < kGroups; ++group) {
        for (double& difference : differences) difference = normal(engine);
        shown += paired_test(differences).p_value < level ? 1 : 0;
    }
    return shown / double{kGroups};
}

}  // namespace

// Mean 2, deviation 1, so t = 2 sqrt(3) with 2 degrees of freedom, whose distribution function is
// 1/2 + t / (2 sqrt(t^2 + 2)).
TEST_CASE("the p-value of three pairs is the hand-computed one", "[statistics]") {
    const PairedTest test = paired_test(std::array{1.0, 2.0, 3.0});
    CHECK(test.pairs == 3);
    CHECK(test.deviation == Approx(1.0));
    CHECK(test.p_value == Approx(1.0 - 2.0 * std::sqrt(3.0) / std::sqrt(14.0)));
}

TEST_CASE("too few pairs show nothing, equal ones no difference, constant ones one",
          "[statistics]") {
    CHECK(paired_test(std::array{1.0}).p_value == 1.0);
    CHECK(paired_test(std::array{1.0, 1.0}).p_value == 1.0);
    CHECK(std::isinf(paired_test(std::array{1.0, 1.5}).detectable(0.05)));
    CHECK(paired_test(std::array{0.0, 0.0, 0.0}).p_value == 1.0);
    CHECK(paired_test(std::array{0.5, 0.5, 0.5}).p_value == 0.0);
    CHECK_THROWS_AS(paired_test(std::vector<double>{}), CheckFailure);
    CHECK_THROWS_AS(paired_test(std::array{1.0, HUGE_VAL}), CheckFailure);
    CHECK_THROWS_AS(logarithms(std::array{1.0, -2.0}), CheckFailure);
}

TEST_CASE("pairs that do not differ are told apart as often as the level says", "[statistics]") {
    for (const std::size_t n : {3U, 5U, 10U}) {
        INFO(n);
        CHECK(share_shown(n, 0.0, 0.05) == Approx(0.05).margin(0.02));
    }
}

TEST_CASE("the detectable difference is shown in four cases of five", "[statistics]") {
    for (const std::size_t n : {3U, 5U, 10U}) {
        for (const double level : {0.05, 0.0125}) {
            INFO(n << " pairs, level " << level);
            const PairedTest unit{n, 1.0, 1.0};
            CHECK(share_shown(n, unit.detectable(level), level) == Approx(0.8).margin(0.02));
        }
    }
}

TEST_CASE("tests of a family are adjusted for each other, but those of too few pairs",
          "[statistics]") {
    // p 0.004, 0.03 and 0.0125 of three that are judged, so 3 * 0.004, 2 * 0.0125 and 0.03.
    std::array<JudgedTest, 4> all;
    all[0].test = {6, 0.004, 1.0, 2.0};
    all[1].test = {6, 0.03, 1.0, 1.0};
    all[2].test = {2, 1.0, 1.0, 1.0};
    all[3].test = {6, 0.0125, 1.0, -1.5};
    judge(std::array{&all[0], &all[1], &all[2], &all[3]});
    CHECK(all[0].adjusted_p.value() == Approx(0.012));
    CHECK(all[1].adjusted_p.value() == Approx(0.03));
    CHECK(all[3].adjusted_p.value() == Approx(0.025));
    CHECK(all[0].judged == 3);
    CHECK(all[0].detectable() == Approx(all[0].test.detectable(0.05 / 3)));
    CHECK_FALSE(all[2].adjusted_p);
    CHECK_FALSE(all[2].shown(1.0));
}

TEST_CASE("a difference is shown where the mean, which is tested, and the median agree",
          "[statistics]") {
    JudgedTest test{{6, 0.001, 1.0, 2.0}, 0.01, 1};
    CHECK(test.shown(0.5));
    CHECK_FALSE(test.shown(-0.5));
    test.adjusted_p = 0.05;
    CHECK_FALSE(test.shown(0.5));
}

// A drift of 30 % that both of a pair share hides a difference of 1 % from unpaired groups.
TEST_CASE("pairs show a small difference under a drift that both share", "[statistics]") {
    const std::array threads{1.000, 1.100, 1.200, 1.300, 1.150};
    const std::array procs{1.011, 1.110, 1.213, 1.312, 1.162};
    std::vector<double> ratios;
    for (std::size_t i = 0; i < threads.size(); ++i) ratios.push_back(procs[i] / threads[i]);
    CHECK(paired_test(logarithms(ratios)).p_value < 0.001);
}
