// Times of steps that follow each other: where warming up ends, and how far neighbours are alike.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace dp::experiments::statistics {

/// Fewest times among which a warm-up is looked for.
inline constexpr std::size_t kFewestForWarmUp = 10;
/// It is looked for among the first so many. What is slow for longer is not warming up.
inline constexpr std::size_t kMostForWarmUp = 200;

/// How many of the first `times` to leave out, since they are of another process than the rest: the
/// number d, at most a quarter of them, for which the standard error of the mean of the rest,
/// sum (x - mean)^2 / (n - d)^2 over them, is least. Source: White, "An effective truncation
/// heuristic for bias reduction in simulation output", 1997 (MSER). So that a stall in the middle
/// is not taken for the end of a warm-up, times count as no further out than the fences of the
/// second half (Tukey, "Exploratory data analysis", 1977). And as a warm-up makes steps longer,
/// only such d count of which the median of what is left out is above three quarters of the rest. 0
/// with few times. Requires finite times: CheckFailure.
std::size_t find_warm_up(std::span<const double> times);

/// The correlation of neighbours, in [-1, 1]: none of fewer than kFewestForWarmUp values or of
/// equal ones. Above 0, the mean of n values is known no better than that of about
/// n (1 - r) / (1 + r) independent ones. Requires finite values: CheckFailure.
std::optional<double> lag1_autocorrelation(std::span<const double> values);

}  // namespace dp::experiments::statistics
