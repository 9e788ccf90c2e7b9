// What hwloc knows of the machine: in which order workers take its CPUs. See the hwloc manual,
// "Terms and definitions": a package holds cores, a core one or more hardware threads (SMT), which
// Linux calls CPUs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace dp::experiments {

/// The CPUs that a program may run on, in two orders. In both every core gives one CPU before one
/// gives a second, so that two workers share a core only where workers outnumber cores.
struct Topology {
    std::vector<int> close;   // neighbours follow each other
    std::vector<int> spread;  // those that follow each other are as far apart as can be
};

/// Of this machine and the CPUs `allowed`. Asks hwloc in a child process: plugins that it loads may
/// start threads, and the caller is going to fork. Throws Error when that fails.
Topology read_topology(std::span<const int> allowed);

/// The same in this process, of the machine that `synthetic` describes, for example
/// "package:2 core:4 pu:2" (hwloc_topology_set_synthetic); empty: of this one.
Topology ask_hwloc(std::span<const int> allowed, const std::string& synthetic = {});

void to_json(nlohmann::ordered_json& json, const Topology& topology);
void from_json(const nlohmann::ordered_json& json, Topology& topology);

}  // namespace dp::experiments
