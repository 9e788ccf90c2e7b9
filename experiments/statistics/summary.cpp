#include "experiments/statistics/summary.hpp"

#include <algorithm>
#include <cmath>

#include <boost/math/distributions/binomial.hpp>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {
namespace {

constexpr double kLeastCoverage = 0.95;

std::vector<double> sorted(std::span<const double> samples) {
    DP_CHECK(samples.size(), >, 0U);
    for (const double sample : samples) DP_CHECK(std::isfinite(sample), ==, true);
    std::vector<double> values(samples.begin(), samples.end());
    std::ranges::sort(values);
    return values;
}

double middle_of(std::span<const double> sorted_values) {
    const std::size_t n = sorted_values.size();
    return n % 2 == 1 ? sorted_values[n / 2]
                      : (sorted_values[n / 2 - 1] + sorted_values[n / 2]) / 2;
}

double coverage_of(std::size_t n, std::size_t rank) {
    const boost::math::binomial below(static_cast<double>(n), 0.5);
    return 1.0 - 2.0 * boost::math::cdf(below, static_cast<double>(rank - 1));
}

}  // namespace

double median(std::span<const double> samples) { return middle_of(sorted(samples)); }

double quantile(std::vector<double> values, double q) {
    values = sorted(values);
    const double at = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], at - static_cast<double>(below));
}

OrderInterval order_interval(std::size_t n) {
    DP_CHECK(n, >, 0U);
    std::size_t rank = 1;
    while (2 * (rank + 1) <= n && coverage_of(n, rank + 1) >= kLeastCoverage) ++rank;
    return {rank, coverage_of(n, rank)};
}

Summary summarise(std::span<const double> samples) {
    const std::vector<double> values = sorted(samples);
    Summary summary{values.size(), middle_of(values), values.front(), values.back()};
    if (summary.n < 2) return summary;
    const OrderInterval order = order_interval(summary.n);
    summary.interval = {values[order.rank - 1], values[values.size() - order.rank]};
    summary.coverage = order.coverage;
    return summary;
}

Summary scaled(Summary summary, double factor) {
    DP_CHECK(factor, >, 0.0);
    summary.median *= factor;
    summary.minimum *= factor;
    summary.maximum *= factor;
    if (summary.interval) {
        summary.interval = {factor * summary.interval->low, factor * summary.interval->high};
    }
    return summary;
}

}  // namespace dp::experiments::statistics
