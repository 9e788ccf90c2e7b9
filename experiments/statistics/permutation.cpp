#include "experiments/statistics/permutation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/base/check.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::statistics {
namespace {

/// n over k, as a double: exact up to 2^53, which is all that is asked about.
double binomial(std::size_t n, std::size_t k) {
    double result = 1.0;
    for (std::size_t i = 1; i <= k; ++i) {
        result = result * static_cast<double>(n - k + i) / static_cast<double>(i);
    }
    return std::round(result);
}

constexpr std::size_t kMostExactPairs = 17;
static_assert((std::size_t{1} << kMostExactPairs) <= kMostArrangements);

// Sums of equal samples differ by their rounding.
constexpr double kRounding = 1e-12;

/// All but the shifts' own fields.
Difference difference_of(std::vector<double> shifts) {
    std::ranges::sort(shifts);
    Difference result;
    result.shifts = std::move(shifts);
    const std::span<const double> all(result.shifts);
    const auto arrangements = static_cast<double>(all.size() + 1);
    const auto at_most_0 = std::ranges::upper_bound(all, kRounding) - all.begin();
    const double p_above = (1.0 + static_cast<double>(at_most_0)) / arrangements;
    result.p_value = std::min(1.0, 2.0 * std::min(p_above, result.p_below(1.0)));
    result.least_p_value = std::min(1.0, 2.0 / arrangements);
    // As many as either one-sided test at 2.5 % rejects.
    const auto outside = static_cast<std::size_t>(arrangements / 40.0);
    if (outside > 0) {
        result.ratio95 = {std::exp(all[outside - 1]), std::exp(all[all.size() - outside])};
    }
    return result;
}

/// The shift of the arrangement that calls those at `places` of all logarithms a, of which the
/// first `size_a` were: the mean of those of b among them less that of those of a which they
/// replace. None for the arrangement measured.
std::optional<double> shift_of(std::span<const double> pooled, std::size_t size_a, double sum_of_a,
                               std::span<const std::size_t> places) {
    double sum = 0.0;
    std::size_t of_b = 0;
    for (const std::size_t place : places) {
        sum += pooled[place];
        of_b += place >= size_a ? 1U : 0U;
    }
    if (of_b == 0) return std::nullopt;
    return (sum - sum_of_a) / static_cast<double>(of_b);
}

/// The next choice of as many places in ascending order, of `size` there are; false after the last.
bool next_choice(std::vector<std::size_t>& places, std::size_t size) {
    for (std::size_t i = places.size(); i-- > 0;) {
        if (places[i] + (places.size() - i) >= size) continue;
        ++places[i];
        for (std::size_t j = i + 1; j < places.size(); ++j) places[j] = places[j - 1] + 1;
        return true;
    }
    return false;
}

}  // namespace

double Difference::p_below(double ratio) const {
    const auto below = std::ranges::lower_bound(shifts, std::log(ratio) - kRounding);
    return (1.0 + static_cast<double>(shifts.end() - below)) /
           (1.0 + static_cast<double>(shifts.size()));
}

Difference permutation_test(std::span<const double> a, std::span<const double> b) {
    std::vector<double> pooled = logarithms(a);
    const std::vector<double> of_b = logarithms(b);
    const double sum_of_a = std::accumulate(pooled.begin(), pooled.end(), 0.0);
    pooled.insert(pooled.end(), of_b.begin(), of_b.end());
    const bool exact = binomial(pooled.size(), a.size()) <= static_cast<double>(kMostArrangements);

    std::vector<double> shifts;
    const auto add = [&](std::span<const std::size_t> places) {
        const auto shift = shift_of(pooled, a.size(), sum_of_a, places);
        if (shift) shifts.push_back(*shift);
    };
    if (exact) {
        std::vector<std::size_t> places(a.size());
        std::iota(places.begin(), places.end(), 0U);
        do add(places);
        while (next_choice(places, pooled.size()));
    } else {
        Resampler resampler;
        std::vector<std::size_t> order(pooled.size());
        std::iota(order.begin(), order.end(), 0U);
        for (std::size_t draw = 0; draw < kMostArrangements; ++draw) {
            // The first steps of a Fisher-Yates shuffle: as many as group a has.
            for (std::size_t i = 0; i < a.size(); ++i) {
                std::swap(order[i], order[i + resampler.index(order.size() - i)]);
            }
            add(std::span(order).first(a.size()));
        }
    }
    Difference result = difference_of(std::move(shifts));
    result.exact = exact;
    return result;
}

Difference paired_permutation_test(std::span<const double> a, std::span<const double> b) {
    DP_CHECK(a.size(), ==, b.size());
    std::vector<double> logs = logarithms(b);
    const std::vector<double> of_a = logarithms(a);
    std::ranges::transform(logs, of_a, logs.begin(), std::minus<>());
    const bool exact = logs.size() <= kMostExactPairs;
    const std::size_t arrangements =
        exact ? (std::size_t{1} << logs.size()) - 1 : kMostArrangements;

    // Those that turn some pairs round show a smaller factor than measured where b leads by less
    // than the mean of these pairs.
    Resampler resampler;
    std::vector<double> shifts;
    for (std::size_t i = 1; i <= arrangements; ++i) {
        double sum = 0.0;
        std::size_t turned = 0;
        for (std::size_t pair = 0; pair < logs.size(); ++pair) {
            const bool turns = exact ? ((i >> pair) & 1U) != 0 : resampler.index(2) != 0;
            if (!turns) continue;
            sum += logs[pair];
            ++turned;
        }
        if (turned > 0) shifts.push_back(sum / static_cast<double>(turned));
    }
    Difference result = difference_of(std::move(shifts));
    result.exact = exact;
    return result;
}

}  // namespace dp::experiments::statistics
