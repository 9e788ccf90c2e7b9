// Two result folders compared, configuration by configuration: did it get slower, and is that more
// than chance?
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/diff/setup.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::diff {

enum class Verdict {
    kSlower,
    kFaster,
    kNotShown,
    kTooFew,     // repetitions: not even groups without any overlap would show a difference
    kNotJudged,  // oversubscribed: times of the scheduler, which would cost the others' tests power
};

/// "slower", "no difference shown".
std::string_view name_of(Verdict verdict);

/// What one sample is, that is independent of the others.
enum class Design {
    kRuns,     // a run of the one sweep that each side is
    kFolders,  // one of several sweeps on a side: its median
    kPairs,    // the same, of which the i-th before and the i-th after were measured side by side
};

/// What is asked of a comparison.
struct Terms {
    double alpha = 0.05;
    std::optional<double> fail_above;  // share of images/s
    Design design = Design::kRuns;
    /// Of kRuns: the standard deviation of sweeps of one program, as a share. None: their runs are
    /// taken to be independent, as if there were no such thing.
    std::optional<double> between_sweeps;
};

/// Whether the factor of images/s from before to after is 1, and which it may be.
struct Test {
    double mean = 0.0;     // of the logarithm of that factor: what is tested
    double p_value = 1.0;  // two-sided
    double least_p_value = 1.0;
    std::optional<statistics::Interval> ratio95;
    /// One-sided, that images/s are not lower by more than Terms::fail_above.
    double p_slower = 1.0;
    double least_p_slower = 1.0;
};

/// One design and worker count: repetitions that trained, at least one before and one after.
struct Comparison {
    std::string design;
    std::size_t workers = 0;
    bool oversubscribed = false;  // before or after
    statistics::Summary before;   // images/s of the samples
    statistics::Summary after;
    double ratio = 1.0;  // of the medians, after / before; of pairs the median of theirs
    Test test;
    // Of all that are judged, by holm_adjusted().
    std::optional<double> adjusted_p;         // decides the verdict
    std::optional<double> adjusted_p_slower;  // decides on a regression; none without fail_above
    /// Means are tested, and `ratio`, of medians, is told: where one says slower and the other not,
    /// neither is shown.
    Verdict verdict = Verdict::kNotShown;
    bool regression = false;   // shown to be slower by more than Terms::fail_above
    bool can_regress = false;  // samples so many could show it
};

struct ChecksumChange {
    std::string configuration;
    std::string before;
    std::string after;
};

struct FolderComparison {
    Terms terms;
    std::vector<Comparison> comparisons;  // by worker count, then design
    std::vector<SetupDifference> setup;
    std::vector<ChecksumChange> checksums;  // where settings, build and CPU promise equal ones
    std::vector<std::string> only_before;   // configurations, by name
    std::vector<std::string> only_after;
    std::vector<std::string> without_training;  // in either folder: no images/s to compare

    /// False where figures differ for other reasons than the program.
    [[nodiscard]] bool comparable() const;
    /// Comparisons with a verdict.
    [[nodiscard]] std::size_t judged() const;
    /// Samples of each configuration on both sides, so that a difference in one of those judged can
    /// be shown at all; none where none is judged.
    [[nodiscard]] std::optional<std::size_t> samples_needed() const;
};

/// Of two sides with the runs of all their folders, which the runs' files tell apart; of kPairs the
/// i-th folders by name are a pair. Throws Error(kUsage) when they have no configuration in common.
/// Requires alpha in (0, 1): CheckFailure.
FolderComparison compare_folders(const analysis::Analysis& before, const analysis::Analysis& after,
                                 const Terms& terms);

/// Those that are a regression.
std::vector<Comparison> find_regressions(const FolderComparison& comparison);

}  // namespace dp::experiments::diff
