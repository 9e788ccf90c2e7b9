// What else went on while a run did: who had the CPUs, and how fast they were. Read before and
// after each run by the process that starts its workers; what the system does not tell is none.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include "experiments/machine/control_groups.hpp"

namespace dp::experiments {

/// What is counted since the system started, at one moment.
struct ConditionsReading {
    std::optional<double> load_average;   // over the last minute
    std::optional<double> cpu_mhz;        // mean of the CPUs
    std::optional<double> busy_seconds;   // of the CPUs, by programs and the kernel for them
    std::optional<double> steal_seconds;  // in which the hypervisor had them
    std::optional<Throttling> throttling;
    double own_cpu_seconds = 0.0;  // of this process and of its children that have ended
};

/// Of `cpus`. Reads below `root`, which stands for "/".
ConditionsReading read_conditions(std::span<const int> cpus,
                                  const std::filesystem::path& root = "/");

/// Of a run.
struct Conditions {
    std::optional<double> load_average;  // before it
    std::optional<double> cpu_mhz;       // before it
    /// CPU time of other programs on the CPUs that the run may use. The kernel counts it in ticks
    /// of its clock, and the run's own exactly: some hundredths of a CPU are rounding.
    std::optional<double> others_cpu_seconds;
    std::optional<double> steal_seconds;
    std::optional<double> throttled_periods;
    std::optional<double> throttled_seconds;
};

/// What lies between two readings.
Conditions conditions_between(const ConditionsReading& before, const ConditionsReading& after);

/// CPUs that others may use on a quiet machine: the system's own work, and rounding.
inline constexpr double kQuietCpus = 0.1;

/// Looks with `read` every quarter of a second until others used kQuietCpus at most between two
/// looks, for `limit` at most. Returns the CPUs that they used in the end; none where `read` does
/// not tell.
std::optional<double> wait_until_quiet(const std::function<ConditionsReading()>& read,
                                       std::chrono::milliseconds limit);

void to_json(nlohmann::ordered_json& json, const Conditions& conditions);
void from_json(const nlohmann::ordered_json& json, Conditions& conditions);

}  // namespace dp::experiments
