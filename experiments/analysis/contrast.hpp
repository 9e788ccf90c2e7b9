// Where two designs of one N differ: a step of which computing takes 50 ms hides by its noise what
// they do differently in half a millisecond, so each part is compared by itself, over the same
// pairs of runs as images/s.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/results/run.hpp"
#include "experiments/statistics/pairs.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {

struct Analysis;

/// Something that a run costs, of which less is better.
struct Aspect {
    std::string_view name;
    std::string_view unit;                           // "s", "bytes", or "" of a count
    bool of_step = false;                            // else of the run
    std::optional<double> (*value)(const Run& run);  // none where the kernel does not tell
};

/// Seconds of a step are means over workers and steps; runs must have trained.
extern const std::array<Aspect, 7> kAspects;

/// The test is of the differences, and its family are all aspects of all contrasts.
struct AspectComparison : statistics::JudgedTest {
    const Aspect* aspect = nullptr;
    statistics::Summary first, second;
    statistics::Summary difference;  // first - second, pair by pair

    [[nodiscard]] bool difference_shown() const { return shown(difference.median); }
};

/// Two designs with one N above 1 that has a CPU for each worker.
struct Contrast {
    std::size_t workers = 1;
    std::string first, second;
    std::vector<AspectComparison> aspects;  // those that all pairs tell

    /// There are pairs enough.
    [[nodiscard]] bool judged() const { return !aspects.empty() && aspects.front().adjusted_p; }
};

/// One for each of analysis.comparisons with such an N.
std::vector<Contrast> find_contrasts(const Analysis& analysis);

}  // namespace dp::experiments::analysis
