// The steps of a run as a file beside the run's: a gzipped CSV with a row for each epoch, step and
// rank, which pandas.read_csv() and zcat read. RESULTS.md describes its columns.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "experiments/results/run.hpp"

namespace dp::experiments {

/// `steps-<design>-n<N>-r<repetition>.csv.gz`.
std::string steps_file_name(const Run& run);

/// Whether a file of this name is one that write_steps() wrote.
bool is_steps_file(std::string_view name);

/// Writes the run's steps into `folder`, whole or not at all; removes an earlier run's file where
/// there are none. Throws Error(kData).
void write_steps(const std::filesystem::path& folder, const Run& run);

/// Reads the steps of `run`, which was read from a file, into it, where there is a file of them
/// beside. Throws Error(kData) that names the file and what is wrong with it.
void read_steps(Run& run);

}  // namespace dp::experiments
