// What single steps of a configuration took. A step lasts as long as its slowest rank's.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "experiments/results/results_folder.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {

/// Fewest steps of a repetition of which a quantile is told: one of them lies beyond it.
inline constexpr std::size_t kFewestForP95 = 20;
inline constexpr std::size_t kFewestForP99 = 100;

/// Of the steps that are not cold. Quantiles are those of each repetition: their intervals rest on
/// the repetitions, not on steps, which are like their neighbours.
struct StepFigures {
    std::vector<double> seconds;  // of all repetitions' steps, sorted
    statistics::Summary cold;     // steps left out, of each repetition
    statistics::Summary p50_seconds;
    std::optional<statistics::Summary> p95_seconds;  // none of fewer than kFewestForP95 steps
    std::optional<statistics::Summary> p99_seconds;  // none of fewer than kFewestForP99
    /// Of neighbouring steps; none where a repetition has few or equal ones.
    std::optional<statistics::Summary> autocorrelation;

    [[nodiscard]] double maximum_seconds() const { return seconds.back(); }
};

/// Of the repetitions of one configuration; none where steps were not kept.
std::optional<StepFigures> find_step_figures(std::span<const Run> runs);

}  // namespace dp::experiments::analysis
