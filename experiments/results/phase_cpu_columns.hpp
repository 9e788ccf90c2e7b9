// The columns of runs.csv and epochs.csv that tell how long a rank was on a CPU in each phase.
#pragma once

#include <vector>

#include "experiments/results/runs_csv.hpp"

namespace dp::experiments {

/// Means over the ranks, of all epochs.
std::vector<CsvColumn<Run>> cpu_columns_of_run();
std::vector<CsvColumn<EpochRow>> cpu_columns_of_epoch();

}  // namespace dp::experiments
