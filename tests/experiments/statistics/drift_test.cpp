// The test of two sweeps, against hand-computed cases and constructed truth.
#include "experiments/statistics/drift.hpp"

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/check.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;

// Logarithms 0 and 2 against 4 and 6: means 1 and 5, each with a variance of 1, so 2 degrees of
// freedom and t = 4 / sqrt(2), whose distribution function is 1/2 + t / (2 sqrt(t^2 + 2)).
TEST_CASE("without drift it is Welch's test", "[statistics]") {
    const std::array a{std::exp(0.0), std::exp(2.0)};
    const std::array b{std::exp(4.0), std::exp(6.0)};
    const DriftTest test = drift_test(a, b, 0.0);
    CHECK(test.centre == Approx(4.0));
    CHECK(test.error == Approx(std::sqrt(2.0)));
    CHECK(test.degrees == Approx(2.0));
    const double t = 4.0 / std::sqrt(2.0);
    CHECK(test.p_value() == Approx(1.0 - t / std::sqrt(t * t + 2.0)));
    CHECK(test.p_below(std::exp(4.0)) == Approx(0.5));
    CHECK(drift_test(a, b, 1.0).error == Approx(2.0));
}

TEST_CASE("a group of one sample tells nothing", "[statistics]") {
    const DriftTest test = drift_test(std::array{1.0}, std::array{2.0, 2.1}, 0.02);
    CHECK(test.p_value() == 1.0);
    CHECK(test.p_below(10.0) == 1.0);
    CHECK_THROWS_AS(drift_test(std::array{1.0}, std::array{1.0}, -0.1), dp::core::CheckFailure);
}

TEST_CASE("sweeps that drift as told are told apart as often as the level says", "[statistics]") {
    std::mt19937_64 engine(41);
    std::normal_distribution<double> normal;
    constexpr double kBetween = 0.03;
    constexpr int kPairs = 4000;
    int shown = 0;
    int ignored = 0;
    int held = 0;
    int slower = 0;
    const auto sweep = [&](double centre) {
        const double level = centre * std::exp(kBetween * normal(engine));
        std::vector<double> runs(5);
        for (double& run : runs) run = level * std::exp(0.02 * normal(engine));
        return runs;
    };
    for (int pair = 0; pair < kPairs; ++pair) {
        const std::vector<double> a = sweep(1.0);
        const std::vector<double> b = sweep(0.95);
        const DriftTest told = drift_test(a, b, kBetween);
        held += told.ratio95().contains(0.95) ? 1 : 0;
        slower += told.p_below(0.95) < 0.05 ? 1 : 0;
        const std::vector<double> again = sweep(1.0);
        shown += drift_test(a, again, kBetween).p_value() < 0.05 ? 1 : 0;
        ignored += drift_test(a, again, 0.0).p_value() < 0.05 ? 1 : 0;
    }
    CHECK(shown / double{kPairs} == Approx(0.05).margin(0.02));
    CHECK(held / double{kPairs} == Approx(0.95).margin(0.02));
    CHECK(slower / double{kPairs} == Approx(0.05).margin(0.02));
    CHECK(ignored / double{kPairs} > 0.3);  // what the parameter is for
}
