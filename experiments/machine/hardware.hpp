// What /sys and /proc tell of the machine: memory, and settings that change speed. Its cores and
// caches are in topology.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

/// The whole machine, whatever part of it this process may use. None: the system does not tell.
struct Hardware {
    std::optional<std::uint64_t> memory_bytes;
    std::optional<std::string> cpu_governor;  // distinct ones, as "performance, powersave"
    std::optional<std::string> transparent_huge_pages;  // always, madvise or never
    std::optional<double> load_average;                 // over the last minute
};

/// Reads below `root`, which stands for "/". What is missing or makes no sense is none and no
/// error.
Hardware read_hardware(const std::filesystem::path& root = "/");

/// Adds the fields of a result file's `context`, in their order; what the system does not tell is
/// null.
void add_hardware(nlohmann::ordered_json& context, const Hardware& hardware);

}  // namespace dp::experiments
