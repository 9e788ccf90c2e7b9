// Two groups of which each was measured in a sweep of its own, while the machine drifts: what one
// sweep's runs have in common, they do not show.
#pragma once

#include <span>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

struct DriftTest {
    double centre = 0.0;   // logarithm of the factor from a to b
    double error = 0.0;    // standard error of it, the sweeps' included
    double degrees = 0.0;  // of freedom; 0 where a group has one sample: then nothing is known

    [[nodiscard]] double p_value() const;  // two-sided, that there is no difference
    /// One-sided: how often what was measured, or less, would come of a factor of `ratio` or more.
    [[nodiscard]] double p_below(double ratio) const;
    [[nodiscard]] Interval ratio95() const;  // requires degrees above 0
};

/// Student's test of the difference of the mean logarithms (Welch, "The generalization of
/// Student's problem when several different population variances are involved", 1947), to whose
/// variance each sweep adds that of sweeps of one program: `between`, their standard deviation as a
/// share, which the caller knows from elsewhere. Requires at least one sample of each, all finite
/// and above 0, and between >= 0: CheckFailure.
DriftTest drift_test(std::span<const double> a, std::span<const double> b, double between);

}  // namespace dp::experiments::statistics
