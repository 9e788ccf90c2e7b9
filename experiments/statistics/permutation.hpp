// Whether two groups differ, and by how much at least and at most, without assuming a distribution.
// What is drawn at random comes from a fixed seed, so that equal samples give equal
// figures.
#pragma once

#include <cstddef>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

/// Does `b` differ from `a`, and by which factor? A permutation test (Good, "Permutation,
/// parametric and bootstrap tests of hypotheses", 2005): did `b` not differ, what was measured
/// would be as likely as any rearrangement of it between the two. No distribution is assumed.
struct Difference {
    double p_value = 1.0;        // two-sided: how often chance alone makes such a difference
    double least_p_value = 1.0;  // that samples so many can reach
    bool exact = true;           // all arrangements were tried, not a random choice of them
    /// The factors from `a` to `b` that the test does not tell from the one measured, at 95 %; none
    /// where no samples so many would show a difference.
    std::optional<Interval> ratio95;
    /// One for each arrangement but that measured, sorted: the logarithm of the factor from `a` to
    /// `b` above which the arrangement shows a smaller one than measured.
    std::vector<double> shifts = {};

    /// One-sided: how often what was measured, or less, would come of a factor of `ratio` or more.
    [[nodiscard]] double p_below(double ratio) const;
    /// The least that p_below() can be.
    [[nodiscard]] double least_p_below() const { return least_p_value / 2.0; }
};

/// Of two groups that were measured independently, by the difference of their mean logarithms; at
/// least one sample each, all finite and above 0 (CheckFailure). Exact up to kMostArrangements,
/// which is two groups of 10; beyond, that many arrangements are drawn and counted with the one
/// measured, so that p is never too small (Phipson and Smyth, "Permutation p-values should never be
/// zero", 2010).
///
/// Groups of 3 can reach p = 0.1 at least, of 4 0.029, of 5 0.0079: three repetitions never show a
/// difference at the level of 5 %.
Difference permutation_test(std::span<const double> a, std::span<const double> b);
inline constexpr std::size_t kMostArrangements = 200'000;

/// Of pairs, a[i] with b[i], by the mean logarithm of their ratios: an arrangement calls a of some
/// pairs b and b a. Requires equally many of both, otherwise as permutation_test(); exact up to 17
/// pairs. Of 5 pairs p is 0.0625 at least, of 6 0.031.
Difference paired_permutation_test(std::span<const double> a, std::span<const double> b);

/// Random indices from a fixed seed, the same with every standard library: its engines are
/// specified to the bit, its distributions are not.
class Resampler {
public:
    /// In [0, bound), for bound in [1, 2^32), by Lemire's multiply-shift.
    std::size_t index(std::size_t bound) { return ((engine_() >> 32) * bound) >> 32; }

private:
    std::mt19937_64 engine_{1};
};

}  // namespace dp::experiments::statistics
