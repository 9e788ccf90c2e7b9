// What /sys and /proc tell of the machine: caches, cores, memory, and settings that change speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

struct Cache {
    int level = 1;
    std::string type;  // Data, Instruction, Unified
    std::uint64_t bytes = 0;
    std::size_t shared_by_cpus = 1;  // logical CPUs, the one asked included

    bool operator==(const Cache&) const = default;
};

/// The whole machine, whatever part of it this process may use. None: the system does not tell.
struct Hardware {
    std::optional<std::vector<Cache>> caches;  // of the first CPU that tells, as /sys numbers them
    std::optional<std::size_t> physical_cores;
    std::optional<std::size_t> threads_per_core;  // hardware threads of the core with most
    std::optional<std::size_t> sockets;
    std::optional<std::size_t> numa_nodes;
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
