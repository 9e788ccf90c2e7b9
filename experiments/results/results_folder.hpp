// The runs that a folder of results holds, read back for tables, reports and comparisons.
#pragma once

#include <filesystem>
#include <vector>

#include "experiments/results/run.hpp"

namespace dp::experiments {

/// Sorted by worker count, then by mode in the order of the modes' table, then by repetition.
struct ResultsFolder {
    std::filesystem::path folder;
    std::vector<Run> runs;  // complete
    std::vector<Run> failed;
};

/// `runs` in the order of a folder that holds them.
ResultsFolder results_of(const std::filesystem::path& folder, std::vector<Run> runs);

/// Whether `folder` holds a run file.
bool has_runs(const std::filesystem::path& folder);

/// Reads every run file. Throws Error(kUsage) when `folder` is no folder or holds none,
/// Error(kData) that names the file and what is wrong with it.
ResultsFolder read_results(const std::filesystem::path& folder);

}  // namespace dp::experiments
