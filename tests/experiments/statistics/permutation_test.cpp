// The permutation test, against hand-computed cases and constructed truth.
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/base/check.hpp"
#include "experiments/statistics/permutation.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

/// `n` samples around `centre` that deviate by about the share `deviation`.
std::vector<double> noisy(std::mt19937_64& engine, std::size_t n, double centre, double deviation) {
    std::normal_distribution<double> normal(0.0, deviation);
    std::vector<double> samples(n);
    for (double& sample : samples) sample = centre * std::exp(normal(engine));
    return samples;
}

/// What tests of samples drawn anew say, as shares of them.
struct Shares {
    double shown = 0.0;     // p is at most 0.05
    double held = 0.0;      // the interval holds the true ratio
    double slower = 0.0;    // the ratio is called smaller than the true one
    bool all_agree = true;  // the interval lacks 1 where p is at most 0.05, and only there
};

Shares shares_of(double true_ratio, const auto& test) {
    constexpr int kTests = 2000;
    Shares shares;
    for (int i = 0; i < kTests; ++i) {
        const Difference result = test();
        const bool shown = result.p_value <= 0.05;
        shares.shown += shown ? 1.0 / kTests : 0.0;
        shares.held += result.ratio95->contains(true_ratio) ? 1.0 / kTests : 0.0;
        shares.slower += result.p_below(true_ratio) < 0.05 ? 1.0 / kTests : 0.0;
        shares.all_agree = shares.all_agree && shown != result.ratio95->contains(1.0);
    }
    return shares;
}

}  // namespace

TEST_CASE("samples that have no logarithm are refused by the permutation test", "[statistics]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(permutation_test(std::array{1.0, nan}, std::array{1.0, 2.0}), CheckFailure);
    CHECK_THROWS_AS(permutation_test(std::array{1.0}, std::array{0.0}), CheckFailure);
}

TEST_CASE("the permutation test counts the arrangements by hand", "[statistics]") {
    // Two groups of 3 without overlap: 2 of the 20 arrangements are as far apart.
    const Difference apart = permutation_test(std::array{1.0, 1.1, 1.2}, std::array{2.0, 2.1, 2.2});
    CHECK(apart.exact);
    CHECK(apart.p_value == Approx(0.1));
    CHECK(apart.least_p_value == Approx(0.1));
    // 1 against 2 and 4: of 3 arrangements none else shows b larger, and either side counts.
    const Difference few = permutation_test(std::array{1.0}, std::array{2.0, 4.0});
    CHECK(few.p_value == Approx(2.0 / 3.0));
    CHECK(few.least_p_value == Approx(2.0 / 3.0));
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
    const Shares shares = shares_of(1.0, [&] {
        return permutation_test(noisy(engine, 5, 1.0, 0.03), noisy(engine, 5, 1.0, 0.03));
    });
    // 12 of the 252 arrangements, give or take three standard deviations of 2,000 draws.
    CHECK(shares.shown == Approx(12.0 / 252).margin(0.0143));
}

// Of 20 arrangements none may be left out at 2.5 %; of 70 one on each side.
TEST_CASE("groups that could show no difference have no interval of their ratio", "[statistics]") {
    const std::array a{1.0, 1.1, 1.2, 1.3};
    const std::array b{2.0, 2.1, 2.2, 2.3};
    CHECK_FALSE(permutation_test(std::span(a).first(3), std::span(b).first(3)).ratio95);
    const auto ratio = permutation_test(a, b).ratio95;
    REQUIRE(ratio.has_value());
    // The least of b over the largest of a, and the other way round.
    CHECK(ratio->low == Approx(2.0 / 1.3));
    CHECK(ratio->high == Approx(2.3 / 1.0));
}

TEST_CASE("the interval of a ratio holds the true one as often as it says", "[statistics]") {
    std::mt19937_64 engine(29);
    const Shares shares = shares_of(1.02, [&] {
        return permutation_test(noisy(engine, 5, 1.0, 0.03), noisy(engine, 5, 1.02, 0.03));
    });
    CHECK(shares.held == Approx(1 - 2.0 * 6 / 252).margin(0.02));
    CHECK(shares.all_agree);
}

// Of the signs of 3 pairs 8 arrangements; all three lead, which either side does once.
TEST_CASE("the paired permutation test counts the signs by hand", "[statistics]") {
    const Difference test =
        paired_permutation_test(std::array{1.0, 1.0, 1.0}, std::array{1.1, 1.2, 1.3});
    CHECK(test.exact);
    CHECK(test.p_value == Approx(2.0 / 8));
    CHECK(test.least_p_value == Approx(2.0 / 8));
    // At 1.25 one of the pairs is above, alone or not: 1.3, 1.1 and 1.3, 1.2 and 1.3 with a mean of
    // 1.196 and 1.249, and all.
    CHECK(test.p_below(1.25) == Approx(2.0 / 8));
    CHECK(test.p_below(1.05) == 1.0);
    CHECK(paired_permutation_test(std::array{1.0, 2.0}, std::array{1.0, 2.0}).p_value == 1.0);
    CHECK_THROWS_AS(paired_permutation_test(std::array{1.0, 2.0}, std::array{1.0}), CheckFailure);
}

TEST_CASE("pairs under a drift that both share are told apart as often as the level says",
          "[statistics]") {
    for (const std::size_t n : {6U, 10U}) {
        std::mt19937_64 engine(31);
        const Shares shares = shares_of(1.0, [&] {
            const std::vector<double> drift = noisy(engine, n, 1.0, 0.2);
            std::vector<double> a = noisy(engine, n, 1.0, 0.02);
            std::vector<double> b = noisy(engine, n, 1.0, 0.02);
            for (std::size_t i = 0; i < n; ++i) {
                a[i] *= drift[i];
                b[i] *= drift[i];
            }
            return paired_permutation_test(a, b);
        });
        INFO(n);
        CHECK(shares.shown <= 0.07);
        CHECK(shares.held == Approx(0.955).margin(0.025));
        CHECK(shares.all_agree);
    }
}

TEST_CASE("a build as slow as allowed is called slower at most as often as the level says",
          "[statistics]") {
    for (const auto test : {permutation_test, paired_permutation_test}) {
        std::mt19937_64 engine(37);
        const Shares shares = shares_of(
            0.95, [&] { return test(noisy(engine, 6, 1.0, 0.02), noisy(engine, 6, 0.95, 0.02)); });
        CHECK(shares.slower == Approx(0.05).margin(0.02));
    }
}
