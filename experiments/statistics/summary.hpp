// What repetitions show: their median and how sure it is, ratios of two groups, and whether two
// groups differ at all. Pure functions of the samples; what is drawn at random comes from a fixed
// seed, so equal samples give equal figures.
//
// All samples must be finite, ratios' also above zero: CheckFailure otherwise. A repetition without
// a figure is left out by the caller, who knows why there is none.
#pragma once

#include <cstddef>
#include <optional>
#include <random>
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

/// Fewest samples of a bootstrap interval. It never leaves the samples' range, and that holds the
/// true median with probability 1 - 2^(1-n): 75 % for 3 samples, 87.5 % for 4, 93.75 % for 5. So
/// with fewer than 5 no such interval deserves to be called one of 95 %.
inline constexpr std::size_t kFewestForBootstrap = 5;
inline constexpr std::size_t kResamples = 10'000;

struct Summary {
    std::size_t n = 0;
    double median = 0.0;
    double minimum = 0.0;
    double maximum = 0.0;
    std::optional<Interval> interval95;  // of the median; none below kFewestForBootstrap samples
};

/// Of at least one sample. The interval is the percentile bootstrap's (Efron and Tibshirani, "An
/// introduction to the bootstrap", 1993, chapter 13) of kResamples resamples. Few samples make it
/// coarse: of 1,000 simulated groups each it held the true median in 94, 94, 86 and 94 % for n = 5,
/// 6, 7 and 10.
Summary summarise(std::span<const double> samples);

struct Ratio {
    double value = 1.0;
    std::optional<Interval> interval95;
};

/// median(numerators) / median(denominators) of groups that have nothing to do with each other, of
/// at least one sample each; percentile bootstrap as above, both groups resampled (it
/// held the true ratio of 96 % of 1,000 simulated groups of 5).
Ratio ratio_of_medians(std::span<const double> numerators, std::span<const double> denominators);

/// Two groups measured side by side, pair by pair.
struct PairedRatio {
    std::size_t pairs = 0;
    double ratio = 1.0;                  // geometric mean of the pairs' ratios
    std::optional<Interval> interval95;  // none with one pair
    bool difference_shown = false;       // the interval leaves out 1
};

/// How numerators[i] / denominators[i] lies, for at least one pair i: repetitions are interleaved,
/// so what slows the machine down for a while slows both of a pair and leaves their ratio alone.
///
/// The geometric mean, since it is the only one by which a/b and b/a tell the same (Fleming and
/// Wallace, "How not to lie with statistics", 1986). The interval is Student's t on the logarithms
/// of the ratios: exact for log-normal ratios with any number of pairs. Percentile bootstrap is too
/// narrow for few (Hesterberg, "What teachers should know about the bootstrap", 2015): of 1,000
/// simulated groups of 5 such pairs it held the true ratio of 82 %, the t interval of 95 %. One
/// disturbed pair makes the interval wide: then no difference is shown.
PairedRatio paired_ratio(std::span<const double> numerators, std::span<const double> denominators);

/// Does group `a` differ from group `b`?
struct Difference {
    double p_value = 1.0;        // two-sided: how often chance alone makes such a difference
    double least_p_value = 1.0;  // that groups of these sizes can reach
    bool exact = true;           // all arrangements were tried, not a random choice of them
};

/// Permutation test (Good, "Permutation, parametric and bootstrap tests of hypotheses", 2005) of
/// the difference of the mean logarithms, for at least one sample each: no distribution is assumed.
/// Exact up to kMostArrangements, which is two groups of 10; beyond, that many arrangements are
/// drawn and p = (1 + hits) / (1 + draws), which is never too small (Phipson and Smyth,
/// "Permutation p-values should never be zero", 2010).
///
/// Groups of 3 can reach p = 0.1 at least, of 4 0.029, of 5 0.0079: three repetitions never show a
/// difference at the level of 5 %.
Difference permutation_test(std::span<const double> a, std::span<const double> b);
inline constexpr std::size_t kMostArrangements = 200'000;

/// The quantile of Student's t that bounds 95 %, for at least one degree of freedom.
double student_t95(std::size_t degrees_of_freedom);

/// The 2.5 % and 97.5 % quantiles of a bootstrap's `estimates`.
Interval percentile_interval(std::vector<double> estimates);

/// Random indices from a fixed seed, the same with every standard library: its engines are
/// specified to the bit, its distributions are not.
class Resampler {
public:
    /// In [0, bound), for bound in [1, 2^32), by Lemire's multiply-shift.
    std::size_t index(std::size_t bound) { return ((engine_() >> 32) * bound) >> 32; }
    /// Replaces `resample` by as many of `samples`, drawn with replacement.
    void draw(std::span<const double> samples, std::vector<double>& resample);

private:
    std::mt19937_64 engine_{1};
};

}  // namespace dp::experiments::statistics
