// What to choose among what was measured, for a goal, and what cannot be told apart from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dp::experiments::analysis {

struct Analysis;
struct Configuration;

/// The configuration with the best median of a goal, held against the others pair by pair of runs,
/// with Holm's correction over all pairs of configurations, since the data chose it.
struct Choice {
    const Configuration* best = nullptr;
    double value = 0.0;                            // its median
    std::vector<const Configuration*> not_worse;   // not shown to be
    std::vector<const Configuration*> not_judged;  // too few pairs
};

struct Goal {
    std::string_view name;
    std::string_view unit;  // "images/s", "share", "bytes"
    Choice choice;
};

/// By time (images/s), efficiency and memory (both of more than one worker), in this order, of
/// those that were measured.
std::vector<Goal> find_goals(const Analysis& analysis);

/// The most images/s of each design over its N, oversubscribed or not; of designs with two N or
/// more.
std::vector<Choice> find_best_workers(const Analysis& analysis);

/// The accuracy that was reached in the time that the fastest took for all of its epochs.
struct TimedAccuracy {
    const Configuration* configuration = nullptr;
    double test_accuracy = 0.0;
    std::size_t epochs = 0;  // that had ended by then
};

struct EqualTime {
    double seconds = 0.0;
    std::vector<TimedAccuracy> reached;  // best first; of the first repetition
};

/// None where fewer than two configurations had ended an epoch by then, or all ran one alone.
std::optional<EqualTime> accuracy_in_equal_time(const Analysis& analysis);

}  // namespace dp::experiments::analysis
