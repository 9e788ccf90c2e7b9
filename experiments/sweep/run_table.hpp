// The runs of a sweep side by side, on the terminal.
#pragma once

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments {

/// Prints a row per configuration with the medians over its repetitions, in 80 columns; speedups
/// and the sentences below the table are the report's. From five repetitions on medians and
/// speedups have 95 % intervals.
void print_table(const analysis::Analysis& analysis);

}  // namespace dp::experiments
