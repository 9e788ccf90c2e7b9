// A comparison of two folders as text.
#pragma once

#include <string>

#include "experiments/diff/comparison.hpp"

namespace dp::experiments::diff {

/// Warnings first, then a row for each configuration, then what else differs; lines end with a
/// newline.
std::string format_comparison(const ResultsFolder& before, const ResultsFolder& after,
                              const FolderComparison& comparison);

/// "threads N = 2: 10.2 % slower (p 0.024)".
std::string describe(const Comparison& comparison);

}  // namespace dp::experiments::diff
