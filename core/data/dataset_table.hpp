// The data sets that the program knows, one row each: the command line, the help and the tests all
// read this table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "core/data/dataset.hpp"

namespace dp::core {

struct DatasetEntry {
    std::string_view name;
    std::string_view description;
    std::string_view default_model;  // a name of the model table
    /// `data_dir` may be empty; `seed` matters only to data that is made.
    Dataset (*load)(const std::filesystem::path& data_dir, std::uint64_t seed);
};

/// Every data set; the first is the default.
[[nodiscard]] std::span<const DatasetEntry> datasets();

/// The row of `name`. Throws Error (kUsage) that lists the names where there is none.
[[nodiscard]] const DatasetEntry& find_dataset(std::string_view name);

/// Returns find_dataset(name).load(data_dir, seed). An empty `data_dir` is fine for data that is
/// made and for Fashion-MNIST, which Debian packages; the others throw Error (kData) that says how
/// to get them. Call before any worker starts.
[[nodiscard]] Dataset load_dataset(std::string_view name, const std::filesystem::path& data_dir,
                                   std::uint64_t seed);

}  // namespace dp::core
