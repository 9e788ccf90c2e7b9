// Adjusting p-values of several tests.
#include "experiments/statistics/multiple_tests.hpp"

#include "core/base/check.hpp"
#include "experiments/statistics/permutation.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;

TEST_CASE("Holm multiplies the least p by all tests, the next by one less, and never goes down") {
    const std::vector<double> p{0.01, 0.04, 0.03, 0.005};
    const auto adjusted = holm_adjusted(p);
    REQUIRE(adjusted.size() == 4);
    CHECK(adjusted[3] == Approx(0.02));
    CHECK(adjusted[0] == Approx(0.03));
    CHECK(adjusted[2] == Approx(0.06));
    CHECK(adjusted[1] == Approx(0.06));  // 0.04 alone, but not below the one before it
    CHECK(holm_adjusted(std::vector{0.7, 0.8})[0] == 1.0);
    CHECK(holm_adjusted({}).empty());
    CHECK_THROWS_AS(holm_adjusted(std::vector{1.5}), dp::core::CheckFailure);
}

TEST_CASE("as many samples are needed as the permutation test can show a difference with") {
    CHECK(pairs_needed(1, 0.05) == 6);     // 2 / 2^6 = 0.031
    CHECK(pairs_needed(5, 0.05) == 8);     // 5 * 2 / 2^8 = 0.039
    CHECK(samples_needed(1, 0.05) == 4);   // 2 / C(8, 4) = 0.029, 2 / C(6, 3) = 0.1
    CHECK(samples_needed(5, 0.05) == 5);   // 5 * 2 / C(10, 5) = 0.040
    CHECK(samples_needed(11, 0.05) == 6);  // 11 * 2 / 252 = 0.087, 11 * 2 / 924 = 0.024
    for (const std::size_t tests : {1U, 7U, 11U, 100U}) {
        const std::size_t n = samples_needed(tests, 0.05);
        std::vector<double> low, high;
        for (std::size_t i = 0; i < n; ++i) {
            low.push_back(1.0 + 0.01 * static_cast<double>(i));
            high.push_back(2.0 + 0.01 * static_cast<double>(i));
        }
        const auto enough = permutation_test(low, high);
        CHECK(static_cast<double>(tests) * enough.p_value < 0.05);
        low.pop_back();
        high.pop_back();
        CHECK(static_cast<double>(tests) * permutation_test(low, high).p_value >= 0.05);
    }
}
