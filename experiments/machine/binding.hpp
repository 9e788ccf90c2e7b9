// --bind: which CPUs workers are bound to, and lists of CPUs as taskset writes them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/machine/topology.hpp"

namespace dp::experiments {

/// "0-3,8"; `cpus` ascend.
std::string cpu_list(std::span<const int> cpus);

/// False where `bind` leaves workers to the kernel.
bool binds(const std::string& bind);

/// Throws Error(kUsage) where `bind` is no value of --bind, whatever CPUs there are.
void check_binding(const std::string& bind);

/// The CPUs that workers take in turn as `bind` says, the first for worker 0, and after the last
/// the first again; empty: none is bound. Throws Error(kUsage) where a CPU that it names is none of
/// the topology's.
std::vector<int> bound_cpus(const std::string& bind, const Topology& topology);

}  // namespace dp::experiments
