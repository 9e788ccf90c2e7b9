// What allreduce.json holds: the reductions' times without training around them, and how fast the
// machine's memory is.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "experiments/allreduce/table.hpp"

namespace dp::experiments::analysis {

struct ReductionTimes {
    std::vector<allreduce::Row> rows;
    std::optional<double> triad_bytes_per_second;  // see measure_triad()
};

/// What allreduce::write_rows() wrote. Throws Error(kData) that names the file and what is wrong
/// with it.
ReductionTimes read_allreduce(const std::filesystem::path& file);

}  // namespace dp::experiments::analysis
