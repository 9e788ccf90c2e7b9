#include "experiments/statistics/series.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/check.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {
namespace {

/// Times that are equal to so much of them have a spread all the same, or none could be cold.
constexpr double kLeastSpread = 0.01;

double mean_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// `times` within the fences of their second half.
std::vector<double> fenced(std::span<const double> times) {
    const auto half = times.subspan(times.size() / 2);
    const double low = quantile({half.begin(), half.end()}, 0.25);
    const double high = quantile({half.begin(), half.end()}, 0.75);
    const double beyond = std::max(1.5 * (high - low), kLeastSpread * median(half));
    std::vector<double> all(times.begin(), times.end());
    for (double& time : all) time = std::clamp(time, low - beyond, high + beyond);
    return all;
}

/// The square of the standard error of the mean of `rest`, were they independent.
double squared_error(std::span<const double> rest) {
    const double mean = mean_of(rest);
    double squares = 0.0;
    for (const double value : rest) squares += (value - mean) * (value - mean);
    return squares / static_cast<double>(rest.size() * rest.size());
}

bool is_slower(std::span<const double> first, std::span<const double> rest) {
    return median(first) > quantile({rest.begin(), rest.end()}, 0.75);
}

}  // namespace

std::size_t find_warm_up(std::span<const double> times) {
    for (const double time : times) DP_CHECK(std::isfinite(time), ==, true);
    if (times.size() < kFewestForWarmUp) return 0;
    times = times.first(std::min(times.size(), kMostForWarmUp));
    const std::vector<double> all = fenced(times);
    std::size_t best = 0;
    double least = squared_error(all);
    for (std::size_t cold = 1; cold <= all.size() / 4; ++cold) {
        const double error = squared_error(std::span(all).subspan(cold));
        if (error >= least || !is_slower(times.first(cold), times.subspan(cold))) continue;
        least = error;
        best = cold;
    }
    return best;
}

std::optional<double> lag1_autocorrelation(std::span<const double> values) {
    for (const double value : values) DP_CHECK(std::isfinite(value), ==, true);
    const auto equals_first = [&](double value) { return value == values.front(); };
    if (values.size() < kFewestForWarmUp || std::ranges::all_of(values, equals_first)) {
        return std::nullopt;
    }
    const double mean = mean_of(values);
    double squares = 0.0;
    double products = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        squares += (values[i] - mean) * (values[i] - mean);
        if (i > 0) products += (values[i] - mean) * (values[i - 1] - mean);
    }
    return products / squares;
}

}  // namespace dp::experiments::statistics
