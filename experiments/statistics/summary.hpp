// What repetitions show: their median, and between which of them the true one lies. Pure functions
// of the samples.
//
// All samples must be finite: CheckFailure otherwise. A repetition without a figure is left out by
// the caller, who knows why there is none.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace dp::experiments::statistics {

struct Interval {
    double low = 0.0;
    double high = 0.0;

    [[nodiscard]] bool contains(double value) const { return low <= value && value <= high; }
};

/// Of at least one sample; of an even number the mean of the middle two.
double median(std::span<const double> samples);

/// The value below which the share `q` in [0, 1] of `values` lies, between two of them linearly
/// (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996).
double quantile(std::vector<double> values, double q);

/// From the rank-th smallest of n samples to the rank-th largest, `rank` counting from 1.
struct OrderInterval {
    std::size_t rank = 1;
    double coverage = 0.0;  // probability of holding the true median
};

/// Fewest samples of which an interval holds the true median with at least 95 %: that of all of 5
/// does with 93.75 %, of 6 with 96.9 %.
inline constexpr std::size_t kFewestForInterval = 6;

/// The narrowest interval between two of `n` samples, equally far from either end, that holds the
/// median of what they are drawn from with at least 95 %; with fewer than kFewestForInterval the
/// samples' range. Its coverage is exact, whatever the distribution: the number of samples below
/// the median is binomial, so it is 1 - 2 P(B(n, 1/2) < rank). Sources: Hahn and Meeker,
/// "Statistical intervals", 1991, section 5.2; Hoefler and Belli, "Scientific benchmarking of
/// parallel computing systems", 2015, rule 5. Requires n > 0: CheckFailure.
OrderInterval order_interval(std::size_t n);

struct Summary {
    std::size_t n = 0;
    double median = 0.0;
    double minimum = 0.0;
    double maximum = 0.0;
    std::optional<Interval> interval = {};  // of the median, as order_interval(n); none of one
    double coverage = 0.0;                  // of the interval
};

/// Of at least one sample.
Summary summarise(std::span<const double> samples);

/// The summary of the samples times `factor`, which is above 0: CheckFailure.
Summary scaled(Summary summary, double factor);

}  // namespace dp::experiments::statistics
