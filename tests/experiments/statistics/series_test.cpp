// Where warming up ends, and how far neighbouring steps are alike.
#include "experiments/statistics/series.hpp"

#include <cmath>
#include <vector>

#include "core/base/random.hpp"
#include "tests/support/catch.hpp"

using namespace dp;
using experiments::statistics::find_warm_up;
using experiments::statistics::lag1_autocorrelation;

namespace {

/// Times around 50 with a spread of 1: sums of three uniform numbers.
std::vector<double> steady(std::size_t count, std::uint64_t seed) {
    const core::RandomStream random(seed, core::RandomUse::kSynthetic, {1});
    std::vector<double> times;
    for (std::uint64_t i = 0; i < count; ++i) {
        const double sum =
            random.uniform(3 * i) + random.uniform(3 * i + 1) + random.uniform(3 * i + 2);
        times.push_back(50.0 + 2.0 * (sum - 1.5));
    }
    return times;
}

/// Mean over 200 seeds of what is found, after `make` has spoilt steady times.
double mean_found(std::size_t count, const auto& make) {
    double sum = 0.0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        std::vector<double> times = steady(count, seed);
        make(times);
        sum += static_cast<double>(find_warm_up(times));
    }
    return sum / 200.0;
}

void slow_down(std::vector<double>& times, std::size_t step, double more) { times[step] += more; }

}  // namespace

TEST_CASE("cold steps are found, however many there are") {
    const double one = mean_found(30, [](auto& times) { slow_down(times, 0, 40.0); });
    CHECK(one == Approx(1.6).margin(0.4));
    const double six = mean_found(30, [](auto& times) {
        for (std::size_t i = 0; i < 6; ++i) slow_down(times, i, 10.0);
    });
    CHECK(six == Approx(6.2).margin(0.5));
    // A quarter of 30 is the most.
    CHECK(mean_found(30, [](auto& times) {
              for (std::size_t i = 0; i < 14; ++i) slow_down(times, i, 10.0);
          }) <= 7.0);
    // 50 % more at first, then less by a tenth each step: after 30 it is less than the spread.
    const double slowly = mean_found(400, [](auto& times) {
        for (std::size_t i = 0; i < 40; ++i) {
            times[i] *= 1.0 + 0.5 * std::exp(-0.1 * static_cast<double>(i));
        }
    });
    CHECK(slowly == Approx(31.0).margin(4.0));
}

TEST_CASE("steady steps are seldom taken for cold ones, and a stall does not end a warm-up") {
    CHECK(mean_found(30, [](auto&) {}) < 1.0);
    CHECK(mean_found(390, [](auto&) {}) < 1.0);
    CHECK(mean_found(30, [](auto& times) { slow_down(times, 12, 105.0); }) < 1.0);
    const double both = mean_found(30, [](auto& times) {
        slow_down(times, 0, 40.0);
        slow_down(times, 12, 105.0);
    });
    CHECK(both == Approx(1.4).margin(0.4));
}

TEST_CASE("a run that gets slower is not cold at its beginning") {
    CHECK(mean_found(100, [](auto& times) {
              for (std::size_t i = 40; i < times.size(); ++i) times[i] += 10.0;
          }) == 0.0);
}

TEST_CASE("a warm-up is not looked for among few steps, nor after the first ones") {
    CHECK(find_warm_up(std::vector<double>{90, 1, 1, 1, 1, 1, 1, 1, 1}) == 0);
    CHECK(find_warm_up(std::vector<double>{90, 1, 1, 1, 1, 1, 1, 1, 1, 1}) == 1);
    CHECK(find_warm_up(std::vector<double>(50, 1.0)) == 0);
    std::vector<double> times(1000, 1.0);
    std::fill_n(times.begin(), 300, 2.0);  // a slower machine, not a cold start
    CHECK(find_warm_up(times) == 0);
}

TEST_CASE("the autocorrelation is that of a first-order process") {
    for (const double of : {0.0, 0.6, -0.5}) {
        const std::vector<double> noise = steady(20'000, 3);
        std::vector<double> values{0.0};
        for (const double each : noise) values.push_back(of * values.back() + each - 50.0);
        CHECK(*lag1_autocorrelation(values) == Approx(of).margin(0.03));
    }
    CHECK_FALSE(lag1_autocorrelation(std::vector<double>(9, 1.0)));
    CHECK_FALSE(lag1_autocorrelation(std::vector<double>(90, 1.0)));
}
