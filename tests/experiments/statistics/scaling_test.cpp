// Scaling laws and the least squares behind them: known parameters come back, too few points do not
// pass.
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/check.hpp"
#include "experiments/statistics/least_squares.hpp"
#include "experiments/statistics/scaling.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double usl(std::size_t workers, double sigma, double kappa) {
    const auto n = static_cast<double>(workers);
    return n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0));
}

double gustafson(std::size_t workers, double serial) {
    const auto n = static_cast<double>(workers);
    return n - serial * (n - 1.0);
}

std::vector<Point> usl_points(std::initializer_list<std::size_t> workers, double sigma,
                              double kappa) {
    std::vector<Point> points;
    for (const std::size_t n : workers) points.push_back({n, usl(n, sigma, kappa)});
    return points;
}

}  // namespace

TEST_CASE("least squares fit the hand-computed line with its errors", "[statistics]") {
    // Through (0, 1), (1, 2), (2, 2), (3, 3): 1.1 + 0.6 x, residuals -0.1, 0.3, -0.3, 0.1.
    const std::vector<Equation> equations{
        {{1.0, 0.0}, 1.0}, {{1.0, 1.0}, 2.0}, {{1.0, 2.0}, 2.0}, {{1.0, 3.0}, 3.0}};
    const LeastSquares fit = fit_least_squares(equations);
    CHECK(fit.parameters[0] == Approx(1.1));
    CHECK(fit.parameters[1] == Approx(0.6));
    CHECK(fit.degrees_of_freedom == 2);
    CHECK(fit.residual_deviation == Approx(std::sqrt(0.2 / 2)));
    // sigma^2 = 0.1, sum of (x - 1.5)^2 = 5.
    CHECK(fit.standard_errors[1] == Approx(std::sqrt(0.1 / 5)));
    CHECK(fit.standard_errors[0] == Approx(std::sqrt(0.1 * (1.0 / 4 + 2.25 / 5))));
    CHECK(fit.value(std::array{1.0, 5.0}) == Approx(4.1));
}

TEST_CASE("a weight of two counts as much as four equal equations", "[statistics]") {
    const std::vector<Equation> weighted{{{1.0}, 5.0, 2.0}, {{1.0}, 10.0, 1.0}};
    CHECK(fit_least_squares(weighted).parameters[0] == Approx(6.0));
}

TEST_CASE("columns that depend on each other determine nothing", "[statistics]") {
    const std::vector<Equation> dependent{{{1.0, 2.0}, 1.0}, {{2.0, 4.0}, 2.0}, {{3.0, 6.0}, 3.0}};
    CHECK_FALSE(determined(dependent));
    CHECK_THROWS_AS(fit_least_squares(dependent), CheckFailure);
    const std::vector<Equation> exact{{{1.0, 2.0}, 1.0}, {{2.0, 5.0}, 2.0}};
    CHECK(determined(exact));
    CHECK_THROWS_AS(fit_least_squares(exact), CheckFailure);
    CHECK_THROWS_AS(fit_least_squares(std::vector<Equation>{}), CheckFailure);
    CHECK_THROWS_AS(determined(std::vector<Equation>{}), CheckFailure);
    const std::vector<Equation> no_number{{{kNan}, 1.0}, {{1.0}, 1.0}};
    CHECK_FALSE(determined(no_number));
}

TEST_CASE("Karp-Flatt is the serial fraction of Amdahl's law", "[statistics]") {
    CHECK(karp_flatt(4.0, 4) == Approx(0.0).margin(1e-15));
    CHECK(karp_flatt(1.0, 8) == Approx(1.0));
    // 10 % serial, 4 workers: S = 1 / (0.1 + 0.9/4) = 3.0769.
    CHECK(karp_flatt(1.0 / 0.325, 4) == Approx(0.1));
}

TEST_CASE("a superlinear speedup keeps its negative serial fraction", "[statistics]") {
    // (1/2.5 - 1/2) / (1/2)
    CHECK(karp_flatt(2.5, 2) == Approx(-0.2));
    const auto fit = fit_law(Law::kAmdahl, std::array<Point, 2>{{{2, 2.2}, {4, 4.8}}});
    REQUIRE(fit);
    CHECK(fit->serial.value < 0.0);
}

TEST_CASE("speedup and efficiency are medians of the repetitions' own ratios", "[statistics]") {
    const std::array one{8.0, 8.1, 7.9, 8.2, 7.8};
    const std::array four{2.5, 2.4, 2.6, 2.45, 2.55};
    const Scaling scaling = scaling_of(one, four, 4);
    // 3.2, 3.375, 3.038, 3.347, 3.059
    CHECK(scaling.speedup.median == Approx(3.2));
    CHECK(scaling.efficiency.median == Approx(0.8));
    REQUIRE(scaling.efficiency.interval.has_value());
    CHECK(scaling.efficiency.interval->low == Approx(7.9 / 2.6 / 4));
    CHECK(scaling.efficiency.interval->high == Approx(8.1 / 2.4 / 4));
    CHECK(scaling.karp_flatt->median == Approx((1 / 3.2 - 0.25) / 0.75));
    CHECK(scaling.karp_flatt->interval->low == Approx((2.4 / 8.1 - 0.25) / 0.75));
    CHECK_FALSE(scaling_of(one, one, 1).karp_flatt.has_value());
}

TEST_CASE("two points fit no law, and the reason says so", "[statistics]") {
    const std::array<Point, 2> two{{{1, 1.0}, {2, 1.9}}};
    for (const LawRow& row : kLaws) CHECK_FALSE(fit_law(row.law, two).has_value());
    CHECK(fit_law(Law::kAmdahl, two).reason() ==
          "not enough points: Amdahl needs 2 different N above 1, has 1");
    CHECK_THROWS_AS(*fit_law(Law::kAmdahl, two), CheckFailure);
}

TEST_CASE("repetitions of one N are one point to a law", "[statistics]") {
    const std::array<Point, 4> repeated{{{1, 1.0}, {2, 1.9}, {2, 1.8}, {2, 1.85}}};
    CHECK_FALSE(fit_law(Law::kAmdahl, repeated).has_value());
    const std::array<Point, 4> two{{{2, 1.9}, {2, 1.8}, {4, 3.4}, {4, 3.5}}};
    CHECK(fit_law(Law::kAmdahl, two).has_value());
    CHECK(fit_law(Law::kUniversal, two).reason() ==
          "not enough points: Universal Scalability Law needs 3 different N above 1, has 2");
}

TEST_CASE("Amdahl's law gives its serial fraction back", "[statistics]") {
    const auto fit = fit_law(Law::kAmdahl, usl_points({1, 2, 4, 8}, 0.05, 0.0));
    REQUIRE(fit);
    CHECK(fit->serial.value == Approx(0.05));
    CHECK(fit->serial.standard_error == Approx(0.0).margin(1e-12));
    CHECK(fit->points == 3);
    CHECK(fit->speedup_deviation == Approx(0.0).margin(1e-10));
    CHECK(fit->speedup(20) == Approx(20 / (1 + 0.05 * 19)));
    CHECK_FALSE(fit->coherence.has_value());
    CHECK_FALSE(fit->peak_workers.has_value());
}

TEST_CASE("Gustafson's law gives its serial fraction back", "[statistics]") {
    std::vector<Point> points;
    for (const std::size_t n : {1, 2, 6, 8}) points.push_back({n, gustafson(n, 0.1)});
    const auto fit = fit_law(Law::kGustafson, points);
    REQUIRE(fit);
    CHECK(fit->serial.value == Approx(0.1));
    CHECK(fit->speedup(11) == Approx(10.0));
}

TEST_CASE("the USL gives sigma, kappa and the peak back", "[statistics]") {
    const auto fit = fit_law(Law::kUniversal, usl_points({1, 2, 4, 8, 16}, 0.04, 0.0006));
    REQUIRE(fit);
    CHECK(fit->serial.value == Approx(0.04));
    CHECK(fit->coherence.value().value == Approx(0.0006));
    CHECK(fit->peak_workers.value() == Approx(40.0));  // sqrt(0.96 / 0.0006)
    CHECK(fit->speedup(32) == Approx(usl(32, 0.04, 0.0006)));
}

TEST_CASE("the USL shows no peak where there is none", "[statistics]") {
    const auto amdahl = fit_law(Law::kUniversal, usl_points({2, 4, 8, 16}, 0.04, 0.0));
    REQUIRE(amdahl);
    CHECK(amdahl->coherence.value().value == Approx(0.0).margin(1e-12));
    CHECK_FALSE(amdahl->peak_workers.has_value());
    // Where kappa is 0, rounding leaves it on either side, with an error as small.
    for (int percent = 1; percent < 60; ++percent) {
        const auto points =
            usl_points({2, 3, 4, 5, 6, 7, 8, 12, 14, 16, 20, 24}, percent / 100.0, 0.0);
        CHECK_FALSE(fit_law(Law::kUniversal, points)->peak_workers.has_value());
    }
    // kappa comes out above 0 here, but not by more than its error.
    const std::array<Point, 3> uncertain{{{2, 1.85}, {4, 3.6}, {8, 6.0}}};
    const auto fit = fit_law(Law::kUniversal, uncertain);
    REQUIRE(fit);
    CHECK(fit->coherence.value().value > 0.0);
    CHECK(fit->coherence.value().interval95.low < 0.0);
    CHECK_FALSE(fit->peak_workers.has_value());
}

TEST_CASE("under noise the intervals hold the true parameters 95 times in 100", "[statistics]") {
    std::mt19937_64 engine(17);
    // A thousandth: with more, the non-linearity of 1/S in the noise shows too.
    std::normal_distribution<double> normal(0.0, 0.001);
    int sigma = 0;
    int kappa = 0;
    int serial = 0;
    for (int group = 0; group < 400; ++group) {
        std::vector<Point> universal;
        std::vector<Point> weak;
        for (const std::size_t n : {2, 3, 4, 6, 8}) {
            // The same absolute error of N/S, and of S/N, at every N.
            const auto workers = static_cast<double>(n);
            universal.push_back({n, workers / (workers / usl(n, 0.05, 0.002) + normal(engine))});
            weak.push_back({n, gustafson(n, 0.1) + workers * normal(engine)});
        }
        const auto fit = fit_law(Law::kUniversal, universal);
        sigma += fit->serial.interval95.contains(0.05) ? 1 : 0;
        kappa += fit->coherence->interval95.contains(0.002) ? 1 : 0;
        serial += fit_law(Law::kGustafson, weak)->serial.interval95.contains(0.1) ? 1 : 0;
    }
    // 380 of 400, give or take three standard deviations.
    for (const int held : {sigma, kappa, serial}) {
        CHECK(held >= 367);
        CHECK(held <= 393);
    }
}

TEST_CASE("speedups that are no numbers are refused", "[statistics]") {
    CHECK_THROWS_AS(fit_law(Law::kAmdahl, std::array<Point, 2>{{{2, kNan}, {4, 3.0}}}),
                    CheckFailure);
    CHECK_THROWS_AS(fit_law(Law::kAmdahl, std::array<Point, 2>{{{2, 0.0}, {4, 3.0}}}),
                    CheckFailure);
    CHECK_THROWS_AS(fit_law(Law::kAmdahl, std::array<Point, 2>{{{0, 1.0}, {4, 3.0}}}),
                    CheckFailure);
    CHECK_THROWS_AS(karp_flatt(kNan, 2), CheckFailure);
    CHECK_THROWS_AS(karp_flatt(1.0, 1), CheckFailure);
    CHECK_FALSE(fit_law(Law::kAmdahl, {}).has_value());
}
