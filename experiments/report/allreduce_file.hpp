// allreduce.json, as `dp_compare allreduce --out` writes it, read back.
#pragma once

#include <filesystem>
#include <vector>

#include "experiments/allreduce/table.hpp"

namespace dp::experiments::report {

/// Throws Error(kData) that names the file and what is wrong with it.
std::vector<allreduce::Row> read_allreduce(const std::filesystem::path& file);

}  // namespace dp::experiments::report
