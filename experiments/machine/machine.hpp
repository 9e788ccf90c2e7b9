// What machine and which libraries a run has: read once, before anything runs, from the system
// itself.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "experiments/machine/hardware.hpp"
#include "experiments/machine/topology.hpp"

namespace dp::experiments {

struct Machine {
    std::string host;
    std::string cpu_model;
    std::string kernel;
    std::vector<int> affinity;        // the CPUs that the program was started with
    std::optional<double> cpu_quota;  // of its control group, in CPUs; none: unlimited
    std::string onednn_version, onednn_runtime, onednn_isa;
    bool native_bf16 = false;  // oneDNN multiplies bfloat16 natively here
    int openmp_version = 0;    // date of the specification, 201511 for 4.5
    std::string boost_version;
    std::string build;  // compiler and build type
    Hardware hardware;
    Topology topology;                  // of `affinity`
    std::vector<std::string> warnings;  // about the program and how it was started, in sentences
    // Variables that change what OpenMP and oneDNN do, where set.
    std::vector<std::pair<std::string, std::string>> environment;

    /// The smaller of affinity mask and quota; may be a fraction.
    [[nodiscard]] double usable_cpus() const;
};

/// Reads all of it. Asks oneDNN in a child process, since the caller is going to fork. Throws Error
/// when that fails.
Machine read_machine();

/// Seconds since this process started, as the kernel has it: with the time to load the program and
/// its libraries. The start is known to a clock tick, 10 ms; differences are exact.
std::optional<double> process_seconds();

/// What makes figures of this machine and this build less trustworthy, each in a sentence; often
/// none.
std::vector<std::string> machine_warnings(const Machine& machine);

/// The `context` of a result file.
nlohmann::ordered_json context_json(const Machine& machine);

/// The tightest CPU quota on the way from the control group in `cgroup_file` (/proc/self/cgroup) up
/// to `root` (/sys/fs/cgroup), in CPUs; versions 1 and 2. None where there is no limit or nothing
/// to read.
std::optional<double> read_cpu_quota(const std::string& cgroup_file, const std::string& root);

}  // namespace dp::experiments
