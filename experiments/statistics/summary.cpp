#include "experiments/statistics/summary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/math/distributions/students_t.hpp>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {
namespace {

void check_finite(std::span<const double> samples) {
    DP_CHECK(samples.size(), >, 0U);
    for (const double sample : samples) DP_CHECK(std::isfinite(sample), ==, true);
}

void check_positive(std::span<const double> samples) {
    check_finite(samples);
    for (const double sample : samples) DP_CHECK(sample, >, 0.0);
}

/// Reorders `values`.
double median_in_place(std::span<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    if (values.size() % 2 == 1) return *middle;
    return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double mean(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> logarithms(std::span<const double> samples) {
    check_positive(samples);
    std::vector<double> logs(samples.size());
    std::ranges::transform(samples, logs.begin(), [](double sample) { return std::log(sample); });
    return logs;
}

/// n over k, as a double: exact up to 2^53, which is all that is asked about.
double binomial(std::size_t n, std::size_t k) {
    double result = 1.0;
    for (std::size_t i = 1; i <= k; ++i) {
        result = result * static_cast<double>(n - k + i) / static_cast<double>(i);
    }
    return std::round(result);
}

/// How far the mean of the `of_a` values marked first lies from that of the others.
class Separation {
public:
    Separation(std::span<const double> pooled, std::size_t of_a)
        : total_(std::accumulate(pooled.begin(), pooled.end(), 0.0)),
          a_(static_cast<double>(of_a)),
          b_(static_cast<double>(pooled.size() - of_a)) {}

    [[nodiscard]] double operator()(double sum_of_a) const {
        return std::abs(sum_of_a / a_ - (total_ - sum_of_a) / b_);
    }

private:
    double total_, a_, b_;
};

}  // namespace

double median(std::span<const double> samples) {
    check_finite(samples);
    std::vector<double> values(samples.begin(), samples.end());
    return median_in_place(values);
}

double quantile(std::vector<double> values, double q) {
    check_finite(values);
    std::ranges::sort(values);
    const double at = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], at - static_cast<double>(below));
}

Interval percentile_interval(std::vector<double> estimates) {
    std::ranges::sort(estimates);
    return {quantile(estimates, 0.025), quantile(estimates, 0.975)};
}

double student_t95(std::size_t degrees_of_freedom) {
    DP_CHECK(degrees_of_freedom, >, 0U);
    return boost::math::quantile(boost::math::students_t(static_cast<double>(degrees_of_freedom)),
                                 0.975);
}

void Resampler::draw(std::span<const double> samples, std::vector<double>& resample) {
    resample.resize(samples.size());
    for (double& value : resample) value = samples[index(samples.size())];
}

Summary summarise(std::span<const double> samples) {
    Summary summary;
    summary.n = samples.size();
    summary.median = median(samples);
    summary.minimum = *std::ranges::min_element(samples);
    summary.maximum = *std::ranges::max_element(samples);
    if (summary.n < kFewestForBootstrap) return summary;

    Resampler resampler;
    std::vector<double> resample;
    std::vector<double> medians(kResamples);
    for (double& estimate : medians) {
        resampler.draw(samples, resample);
        estimate = median_in_place(resample);
    }
    summary.interval95 = percentile_interval(std::move(medians));
    return summary;
}

Ratio ratio_of_medians(std::span<const double> numerators, std::span<const double> denominators) {
    check_positive(numerators);
    check_positive(denominators);
    Ratio ratio;
    ratio.value = median(numerators) / median(denominators);
    if (std::min(numerators.size(), denominators.size()) < kFewestForBootstrap) return ratio;

    Resampler resampler;
    std::vector<double> resample;
    std::vector<double> ratios(kResamples);
    for (double& estimate : ratios) {
        resampler.draw(numerators, resample);
        estimate = median_in_place(resample);
        resampler.draw(denominators, resample);
        estimate /= median_in_place(resample);
    }
    ratio.interval95 = percentile_interval(std::move(ratios));
    return ratio;
}

PairedRatio paired_ratio(std::span<const double> numerators, std::span<const double> denominators) {
    DP_CHECK(numerators.size(), ==, denominators.size());
    std::vector<double> logs = logarithms(numerators);
    const std::vector<double> subtrahends = logarithms(denominators);
    std::ranges::transform(logs, subtrahends, logs.begin(), std::minus<>());

    PairedRatio result;
    result.pairs = logs.size();
    const double centre = mean(logs);
    result.ratio = std::exp(centre);
    if (result.pairs < 2) return result;

    double squares = 0.0;
    for (const double log : logs) squares += (log - centre) * (log - centre);
    const auto n = static_cast<double>(result.pairs);
    const double half =
        student_t95(result.pairs - 1) * std::sqrt(squares / (n - 1.0)) / std::sqrt(n);
    result.interval95 = {std::exp(centre - half), std::exp(centre + half)};
    result.difference_shown = !result.interval95->contains(1.0);
    return result;
}

Difference permutation_test(std::span<const double> a, std::span<const double> b) {
    std::vector<double> pooled = logarithms(a);
    const std::vector<double> logs_b = logarithms(b);
    pooled.insert(pooled.end(), logs_b.begin(), logs_b.end());

    const Separation separation(pooled, a.size());
    const auto sum_of_a = [&](std::span<const double> values) {
        return std::accumulate(values.begin(),
                               values.begin() + static_cast<std::ptrdiff_t>(a.size()), 0.0);
    };
    // Arrangements as far apart as the one observed count as hits, whatever the order in which
    // their sums were rounded.
    const double observed = separation(sum_of_a(pooled));
    const double at_least = observed - 1e-12 * (1.0 + observed);

    Difference result;
    std::size_t hits = 0;
    const double arrangements = binomial(pooled.size(), a.size());
    if (arrangements <= static_cast<double>(kMostArrangements)) {
        // Groups of equal size: who is called a is arbitrary, so the most extreme come in two.
        result.least_p_value = std::min(1.0, (a.size() == b.size() ? 2.0 : 1.0) / arrangements);
        std::vector<double> of_a(pooled.size(), 0.0);
        std::fill_n(of_a.begin(), a.size(), 1.0);
        do {
            const double sum = std::inner_product(pooled.begin(), pooled.end(), of_a.begin(), 0.0);
            if (separation(sum) >= at_least) ++hits;
        } while (std::ranges::prev_permutation(of_a).found);
        result.p_value = static_cast<double>(hits) / arrangements;
        return result;
    }
    constexpr auto kDraws = static_cast<double>(kMostArrangements);
    result.exact = false;
    result.least_p_value = 1.0 / (1.0 + kDraws);
    Resampler resampler;
    for (std::size_t draw = 0; draw < kMostArrangements; ++draw) {
        // The first steps of a Fisher-Yates shuffle: as many as group a has.
        for (std::size_t i = 0; i < a.size(); ++i) {
            std::swap(pooled[i], pooled[i + resampler.index(pooled.size() - i)]);
        }
        if (separation(sum_of_a(pooled)) >= at_least) ++hits;
    }
    result.p_value = (1.0 + static_cast<double>(hits)) / (1.0 + kDraws);
    return result;
}

}  // namespace dp::experiments::statistics
