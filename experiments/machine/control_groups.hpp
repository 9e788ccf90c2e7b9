// The control groups that bound a process's CPU time; see cgroups(7). Versions 1 and 2.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace dp::experiments {

/// The folders of the CPU controller on the way from the group in `cgroup_file`
/// (/proc/self/cgroup) up to `root` (/sys/fs/cgroup); some may not exist. Empty where there is
/// nothing to read.
std::vector<std::filesystem::path> find_cpu_groups(const std::filesystem::path& cgroup_file,
                                                   const std::filesystem::path& root);

/// The tightest CPU quota of those groups, in CPUs; none where there is no limit.
std::optional<double> read_cpu_quota(const std::filesystem::path& cgroup_file,
                                     const std::filesystem::path& root);

/// How long all threads of a group were stopped together, because it had used up its quota.
struct Throttling {
    double periods = 0.0;  // in which that happened
    double seconds = 0.0;  // summed over CPUs, as the kernel counts it
};

/// Of all those groups, since they were made; none where none of them tells.
std::optional<Throttling> read_throttling(const std::filesystem::path& cgroup_file,
                                          const std::filesystem::path& root);

}  // namespace dp::experiments
