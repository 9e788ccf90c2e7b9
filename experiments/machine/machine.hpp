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
    std::string build;           // compiler and build type
    std::string compiler_flags;  // of our own loops, beside warnings
    std::string commit;          // of the checkout it was built from; empty: of none
    std::string program_digest;  // of the program's file, 16 hexadecimal digits; empty: unknown
    Hardware hardware;
    Topology topology;                  // of `affinity`
    std::vector<std::string> warnings;  // about the program and how it was started, in sentences
    // Variables that change what OpenMP and oneDNN do, where set.
    std::vector<std::pair<std::string, std::string>> environment;

    /// The smaller of affinity mask and quota; may be a fraction.
    [[nodiscard]] double usable_cpus() const;
};

/// The commit that this program was built from, with ", changed since" where files that git knows
/// were not as in it; empty where it was built of no checkout.
extern const char* const kCommit;

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

}  // namespace dp::experiments
