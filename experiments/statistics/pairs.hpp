// Two groups measured side by side, pair by pair: what slows the machine down for a while slows
// both of a pair and leaves their difference alone.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace dp::experiments::statistics {

/// Fewest pairs that are tested: two can be equal to the last digit by chance where a figure is a
/// count.
inline constexpr std::size_t kFewestPairs = 3;

struct PairedTest {
    std::size_t pairs = 0;
    double p_value = 1.0;    // two-sided: how often chance alone makes such a mean difference
    double deviation = 0.0;  // standard deviation of the differences
    double mean = 0.0;       // of the differences; what is tested

    /// The mean difference that a test at `level` would show in 4 cases of 5, for as many pairs and
    /// such a deviation. Infinite with fewer than kFewestPairs.
    [[nodiscard]] double detectable(double level) const;
};

/// Student's test that the mean of the pairs' `differences` is 0: exact for normal ones with any
/// number of pairs, and careful where a pair was disturbed, since that makes it see less. p is 1
/// with fewer than kFewestPairs. For ratios take the differences of logarithms: by their mean, the
/// geometric one, a/b and b/a tell the same (Fleming and Wallace, "How not to lie with statistics",
/// 1986). Requires at least one, all finite: CheckFailure.
PairedTest paired_test(std::span<const double> differences);

/// One test among others that are judged with it.
struct JudgedTest {
    PairedTest test;
    /// Of all that are judged, by holm_adjusted(); none where it is not judged.
    std::optional<double> adjusted_p = {};
    std::size_t judged = 0;  // tests that the adjustment counts

    /// Whether the adjusted p is below kLevel, and the mean, which is tested, is on the same side
    /// of 0 as `median`, which is told: where one says more and the other less, neither is shown.
    [[nodiscard]] bool shown(double median) const;
    /// The mean difference that would be shown in 4 cases of 5, as the first of those judged.
    /// Requires adjusted_p.
    [[nodiscard]] double detectable() const;
};

/// Adjusts all of `family` for each other, but those with fewer than kFewestPairs, which are not
/// judged.
void judge(std::span<JudgedTest* const> family);

/// Of samples that are finite and above 0: CheckFailure otherwise.
std::vector<double> logarithms(std::span<const double> samples);

/// The quantile of Student's t that bounds 95 %, for at least one degree of freedom.
double student_t95(std::size_t degrees_of_freedom);

}  // namespace dp::experiments::statistics
