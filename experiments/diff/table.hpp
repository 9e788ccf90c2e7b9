// A comparison of two folders as text.
#pragma once

#include <string>

#include "experiments/diff/comparison.hpp"

namespace dp::experiments::diff {

/// Warnings first, then a row for each configuration, then what else differs; lines end with a
/// newline.
std::string format_comparison(const ResultsFolder& before, const ResultsFolder& after,
                              const FolderComparison& comparison);

/// "threads N = 2: 10.2 % slower (p 0.024)", p being that of no more than was allowed.
std::string describe_regression(const Comparison& comparison);

/// What one sample is: "runs", "folders" or "pairs".
std::string_view samples_name(Design design);
/// What to do where samples are too few: "measure both folders with --reps 4 or more". Requires one
/// comparison that is judged.
std::string cure_of_too_few(const FolderComparison& comparison);

}  // namespace dp::experiments::diff
