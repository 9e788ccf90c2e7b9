// Several tests at once: the more there are, the sooner chance alone makes one of them show a
// difference.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace dp::experiments::statistics {

/// Probability of calling chance a difference that a report allows itself, over one family of
/// tests.
inline constexpr double kLevel = 0.05;

/// The p-values, in their order, adjusted so that whoever takes those below alpha for differences
/// is wrong about any of them with probability alpha at most, whatever depends on what. Source:
/// Holm, "A simple sequentially rejective multiple test procedure", 1979. Requires values in
/// [0, 1]: CheckFailure.
std::vector<double> holm_adjusted(std::span<const double> p_values);

/// The fewest samples of two equal groups with which permutation_test() can show a difference at
/// `alpha` in one of `tests` by holm_adjusted(), so that tests * 2 / C(2n, n) < alpha: 4 for one
/// test at 0.05, 6 for 11. Requires tests above 0 and alpha in (0, 1): CheckFailure.
std::size_t samples_needed(std::size_t tests, double alpha);
/// The same of pairs and paired_permutation_test(), so that tests * 2 / 2^n < alpha: 6 for one test
/// at 0.05.
std::size_t pairs_needed(std::size_t tests, double alpha);

}  // namespace dp::experiments::statistics
