// Two result folders compared, configuration by configuration: did it get slower, and is that more
// than chance?
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/diff/setup.hpp"
#include "experiments/statistics/permutation.hpp"
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

/// One mode and worker count: repetitions that trained, at least one before and one after.
struct Comparison {
    std::string mode;
    std::size_t workers = 0;
    bool oversubscribed = false;  // before or after
    statistics::Summary before;   // images/s
    statistics::Summary after;
    double ratio = 1.0;  // of the medians, after / before
    statistics::Difference test;
    std::optional<double> adjusted_p;  // of all that are judged, by holm_adjusted(); decides
    Verdict verdict = Verdict::kNotShown;
};

struct ChecksumChange {
    std::string configuration;
    std::string before;
    std::string after;
};

struct FolderComparison {
    double alpha = 0.05;
    std::vector<Comparison> comparisons;  // by worker count, then mode
    std::vector<SetupDifference> setup;
    std::vector<ChecksumChange> checksums;  // where settings, build and CPU promise equal ones
    std::vector<std::string> only_before;   // configurations, by name
    std::vector<std::string> only_after;
    std::vector<std::string> without_training;  // in either folder: no images/s to compare

    /// False where figures differ for other reasons than the program.
    [[nodiscard]] bool comparable() const;
    /// Comparisons with a verdict.
    [[nodiscard]] std::size_t judged() const;
    /// Of each configuration in both folders, so that a difference in one of those judged can be
    /// shown at all. Requires one.
    [[nodiscard]] std::size_t repetitions_needed() const;
};

/// Unpaired: folders are measured one after the other. Throws Error(kUsage) when they have no
/// configuration in common. Requires alpha in (0, 1): CheckFailure.
FolderComparison compare_folders(const analysis::Analysis& before, const analysis::Analysis& after,
                                 double alpha);

/// Those shown to be slower by more than the share `by`: images/s below 1 - by of before.
std::vector<Comparison> find_regressions(const FolderComparison& comparison, double by);

}  // namespace dp::experiments::diff
