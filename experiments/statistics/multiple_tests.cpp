#include "experiments/statistics/multiple_tests.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {

std::vector<double> holm_adjusted(std::span<const double> p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
    std::vector<double> adjusted(p_values.size());
    double largest = 0.0;
    for (std::size_t k = 0; k < order.size(); ++k) {
        const double p = p_values[order[k]];
        DP_CHECK(p >= 0.0 && p <= 1.0, ==, true);
        largest = std::max(largest, p * static_cast<double>(order.size() - k));
        adjusted[order[k]] = std::min(1.0, largest);
    }
    return adjusted;
}

namespace {

/// The fewest n whose least p-value is low enough; `shrinks` says by which factor it falls with n.
std::size_t fewest(std::size_t tests, double alpha, double (*shrinks)(double n)) {
    DP_CHECK(tests, >, 0U);
    DP_CHECK(alpha > 0.0 && alpha < 1.0, ==, true);
    double least_p = 1.0;
    std::size_t n = 1;
    while (static_cast<double>(tests) * least_p >= alpha) {
        least_p *= shrinks(static_cast<double>(++n));
    }
    return n;
}

}  // namespace

std::size_t samples_needed(std::size_t tests, double alpha) {
    // 2 / C(2n, n), and C(2n, n) = C(2n-2, n-1) 2 (2n-1) / n
    return fewest(tests, alpha, [](double n) { return n / (2.0 * (2.0 * n - 1.0)); });
}

std::size_t pairs_needed(std::size_t tests, double alpha) {
    return fewest(tests, alpha, [](double) { return 0.5; });  // 2 / 2^n
}

}  // namespace dp::experiments::statistics
