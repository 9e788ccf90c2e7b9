// What hwloc knows of the machine: its parts, and in which order workers take its CPUs. See the
// hwloc manual, "Terms and definitions": a package holds cores, a core one or more hardware threads
// (SMT), which Linux calls CPUs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

struct Cache {
    int level = 1;
    std::string type;  // Data, Instruction, Unified
    std::uint64_t bytes = 0;
    std::size_t shared_by_cpus = 1;  // the one asked included

    bool operator==(const Cache&) const = default;
};

struct Topology {
    // Of the whole machine, whatever part of it the program may use. None: hwloc does not know.
    std::optional<std::vector<Cache>> caches;  // of its first CPU, nearest first
    std::optional<std::size_t> cores;
    std::optional<std::size_t> threads_per_core;  // CPUs of the core with most
    std::optional<std::size_t> packages;
    std::optional<std::size_t> numa_nodes;

    // The CPUs that the program may run on, in two orders. In both every core gives one CPU before
    // one gives a second, so that two workers share a core only where workers outnumber cores.
    std::vector<int> close;   // neighbours follow each other
    std::vector<int> spread;  // those that follow each other are as far apart as can be
};

/// Of this machine and the CPUs `allowed`. Asks hwloc in a child process: plugins that it loads may
/// start threads, and the caller is going to fork. Throws Error when that fails.
Topology read_topology(std::span<const int> allowed);

/// The same in this process, of the machine that `synthetic` describes, for example
/// "package:2 core:4 pu:2" (hwloc_topology_set_synthetic); empty: of this one.
Topology ask_hwloc(std::span<const int> allowed, const std::string& synthetic = {});

/// Adds the machine's parts to a result file's `context`.
void add_topology(nlohmann::ordered_json& context, const Topology& topology);
/// What add_topology() writes of caches, for people: "L1d 48 KiB, L3 32 MiB for 8 CPUs".
std::string describe_caches(const nlohmann::ordered_json& caches);

void to_json(nlohmann::ordered_json& json, const Topology& topology);
void from_json(const nlohmann::ordered_json& json, Topology& topology);

}  // namespace dp::experiments
