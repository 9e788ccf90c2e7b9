#include "experiments/statistics/drift.hpp"

#include <algorithm>
#include <cmath>

#include <boost/math/distributions/students_t.hpp>

#include "core/base/check.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::statistics {
namespace {

// Beyond, Student's t is the normal distribution.
constexpr double kMostDegrees = 1e6;

struct Moments {
    double mean = 0.0;
    double variance_of_mean = 0.0;
    double degrees = 0.0;
};

Moments moments_of(std::span<const double> samples) {
    const PairedTest spread = paired_test(logarithms(samples));
    const auto n = static_cast<double>(samples.size());
    Moments result{0.0, spread.deviation * spread.deviation / n, n - 1.0};
    for (const double log : logarithms(samples)) result.mean += log / n;
    return result;
}

double above(double degrees, double t) {
    return boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), t));
}

}  // namespace

double DriftTest::p_value() const {
    if (degrees == 0.0 || centre == 0.0) return 1.0;
    return error == 0.0 ? 0.0 : 2.0 * above(degrees, std::abs(centre) / error);
}

double DriftTest::p_below(double ratio) const {
    if (degrees == 0.0) return 1.0;
    const double short_by = std::log(ratio) - centre;
    if (error == 0.0) return short_by > 0.0 ? 0.0 : 1.0;
    return above(degrees, short_by / error);
}

Interval DriftTest::ratio95() const {
    DP_CHECK(degrees, >, 0.0);
    const double half = boost::math::quantile(boost::math::students_t(degrees), 0.975) * error;
    return {std::exp(centre - half), std::exp(centre + half)};
}

DriftTest drift_test(std::span<const double> a, std::span<const double> b, double between) {
    DP_CHECK(std::isfinite(between) && between >= 0.0, ==, true);
    const Moments of_a = moments_of(a);
    const Moments of_b = moments_of(b);
    const double variance = of_a.variance_of_mean + of_b.variance_of_mean + 2.0 * between * between;
    DriftTest test{of_b.mean - of_a.mean, std::sqrt(variance), 0.0};
    if (of_a.degrees == 0.0 || of_b.degrees == 0.0) return test;
    // Welch and Satterthwaite; the sweeps' variance is known, not estimated.
    const double doubt = of_a.variance_of_mean * of_a.variance_of_mean / of_a.degrees +
                         of_b.variance_of_mean * of_b.variance_of_mean / of_b.degrees;
    test.degrees =
        variance * variance < kMostDegrees * doubt ? variance * variance / doubt : kMostDegrees;
    return test;
}

}  // namespace dp::experiments::statistics
