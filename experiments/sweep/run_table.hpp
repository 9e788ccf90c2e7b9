// The runs of a sweep side by side, on the terminal.
#pragma once

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments {

/// Prints a row per configuration with the medians over its repetitions, in 80 columns; speedups
/// and the sentences below the table are the report's. From statistics::kFewestForInterval
/// repetitions on, the ranges of medians and speedups are intervals with at least 95 %.
void print_table(const analysis::Analysis& analysis);

}  // namespace dp::experiments
