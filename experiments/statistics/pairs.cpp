#include "experiments/statistics/pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "core/base/check.hpp"
#include "experiments/statistics/multiple_tests.hpp"

namespace dp::experiments::statistics {
namespace {

boost::math::students_t student(std::size_t degrees_of_freedom) {
    DP_CHECK(degrees_of_freedom, >, 0U);
    return boost::math::students_t(static_cast<double>(degrees_of_freedom));
}

constexpr double kPower = 0.8;

}  // namespace

double PairedTest::detectable(double level) const {
    if (pairs < kFewestPairs) return std::numeric_limits<double>::infinity();
    const auto degrees = static_cast<double>(pairs - 1);
    const double critical = boost::math::quantile(student(pairs - 1), 1.0 - level / 2.0);
    // Cohen, "Statistical power analysis for the behavioral sciences", 1988: with a difference of
    // so many standard errors t is noncentral. Found by halving.
    double low = 0.0;
    double high = 4.0 * critical;
    for (int i = 0; i < 40; ++i) {
        const double errors = (low + high) / 2.0;
        const boost::math::non_central_t t(degrees, errors);
        (boost::math::cdf(boost::math::complement(t, critical)) < kPower ? low : high) = errors;
    }
    return high * deviation / std::sqrt(static_cast<double>(pairs));
}

PairedTest paired_test(std::span<const double> differences) {
    DP_CHECK(differences.size(), >, 0U);
    const auto n = static_cast<double>(differences.size());
    double mean = 0.0;
    for (const double difference : differences) {
        DP_CHECK(std::isfinite(difference), ==, true);
        mean += difference / n;
    }
    double squares = 0.0;
    for (const double difference : differences) {
        squares += (difference - mean) * (difference - mean);
    }
    PairedTest result{differences.size()};
    result.mean = mean;
    if (result.pairs < 2) return result;
    result.deviation = std::sqrt(squares / (n - 1.0));
    if (result.pairs < kFewestPairs || mean == 0.0) return result;
    const double t = std::abs(mean) / (result.deviation / std::sqrt(n));
    if (std::isinf(t)) {
        result.p_value = 0.0;
    } else {
        result.p_value =
            2.0 * boost::math::cdf(boost::math::complement(student(result.pairs - 1), t));
    }
    return result;
}

bool JudgedTest::shown(double median) const {
    return adjusted_p && *adjusted_p < kLevel && (test.mean > 0.0) == (median > 0.0);
}

double JudgedTest::detectable() const {
    DP_CHECK(judged, >, 0U);
    return test.detectable(kLevel / static_cast<double>(judged));
}

void judge(std::span<JudgedTest* const> family) {
    std::vector<JudgedTest*> judged;
    std::vector<double> p_values;
    for (JudgedTest* const each : family) {
        if (each->test.pairs < kFewestPairs) continue;
        judged.push_back(each);
        p_values.push_back(each->test.p_value);
    }
    const std::vector<double> adjusted = holm_adjusted(p_values);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        judged[i]->adjusted_p = adjusted[i];
        judged[i]->judged = judged.size();
    }
}

std::vector<double> logarithms(std::span<const double> samples) {
    DP_CHECK(samples.size(), >, 0U);
    std::vector<double> logs;
    for (const double sample : samples) {
        DP_CHECK(std::isfinite(sample) && sample > 0.0, ==, true);
        logs.push_back(std::log(sample));
    }
    return logs;
}

double student_t95(std::size_t degrees_of_freedom) {
    return boost::math::quantile(student(degrees_of_freedom), 0.975);
}

}  // namespace dp::experiments::statistics
