// Two designs at one N, repetition by repetition.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "experiments/results/run.hpp"
#include "experiments/statistics/pairs.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {

struct Configuration;

/// The runs of both with the same repetition, in its order.
std::vector<std::pair<const Run*, const Run*>> paired_runs(std::span<const Run> first,
                                                           std::span<const Run> second);

/// The test is of the ratios' logarithms, and its family are all comparisons. One is not judged
/// that has too few pairs, or is oversubscribed and so shows the scheduler.
struct Comparison : statistics::JudgedTest {
    std::size_t workers = 1;
    bool oversubscribed = false;
    std::string first, second;  // designs, in the table's order
    statistics::Summary ratio;  // of images/s, the first over the second, pair by pair

    [[nodiscard]] bool difference_shown() const { return shown(ratio.median - 1.0); }
    /// The share by which images/s have to differ for that to be shown in 4 cases of 5, as the
    /// first of those judged. Requires adjusted_p.
    [[nodiscard]] double detectable_share() const;
    /// "threads are faster", "no difference shown", or why it is not judged.
    [[nodiscard]] std::string verdict() const;
};

/// The pairs of `configurations` that compare: at one N, with equal settings, both trained, neither
/// taking turns; of the designs, the first ones of two modes, and every other one with the first of
/// its mode.
std::vector<Comparison> compare_designs(std::span<const Configuration> configurations);

}  // namespace dp::experiments::analysis
