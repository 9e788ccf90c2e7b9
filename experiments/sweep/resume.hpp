// --resume: what an earlier part of a sweep has left in its folder.
#pragma once

#include <filesystem>
#include <span>

#include "experiments/results/run.hpp"

namespace dp::experiments {

/// Replaces those of `planned` that are complete in `folder` by what is there. Warns once when they
/// come from another machine or build. Throws Error(kUsage) when a file of the right name is of
/// another sweep, and what read_results() throws.
void take_stored_runs(const std::filesystem::path& folder, std::span<Run> planned);

}  // namespace dp::experiments
