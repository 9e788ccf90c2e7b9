#include "experiments/machine/control_groups.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;

/// "max 100000" or "150000 100000": quota and period in microseconds.
std::optional<double> quota_of(const fs::path& group) {
    std::string quota;
    double period = 0.0;
    if (std::ifstream file(group / "cpu.max"); file >> quota >> period) {
        if (quota == "max" || period <= 0.0) return std::nullopt;
        return std::atof(quota.c_str()) / period;
    }
    double quota_us = 0.0;
    std::ifstream quota_file(group / "cpu.cfs_quota_us");
    std::ifstream period_file(group / "cpu.cfs_period_us");
    if (quota_file >> quota_us && period_file >> period && quota_us > 0.0 && period > 0.0) {
        return quota_us / period;
    }
    return std::nullopt;
}

/// Lines "nr_throttled 12" and, of version 2, "throttled_usec 345", of version 1 "throttled_time
/// 345000", in nanoseconds. Without a quota some kernels have no such lines.
std::optional<Throttling> throttling_of(const fs::path& group) {
    std::ifstream file(group / "cpu.stat");
    Throttling throttling;
    bool found = false;
    std::string name;
    for (double value = 0.0; file >> name >> value;) {
        if (name == "nr_throttled") throttling.periods = value;
        if (name == "throttled_usec") throttling.seconds = value * 1e-6;
        if (name == "throttled_time") throttling.seconds = value * 1e-9;
        found = found || name == "nr_throttled";
    }
    return found ? std::optional(throttling) : std::nullopt;
}

}  // namespace

std::vector<fs::path> find_cpu_groups(const fs::path& cgroup_file, const fs::path& root) {
    std::vector<fs::path> groups;
    std::ifstream file(cgroup_file);
    for (std::string line; std::getline(file, line);) {
        // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1.
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        fs::path top = root;
        if (!controllers.empty()) {
            std::stringstream names(controllers);
            bool cpu = false;
            for (std::string name; std::getline(names, name, ',');) cpu = cpu || name == "cpu";
            if (!cpu) continue;
            top /= fs::exists(top / controllers) ? controllers : "cpu";
        }
        fs::path group = fs::path(line.substr(second + 1)).relative_path();
        for (; !group.empty(); group = group.parent_path()) groups.push_back(top / group);
        groups.push_back(top);
    }
    return groups;
}

std::optional<double> read_cpu_quota(const fs::path& cgroup_file, const fs::path& root) {
    std::optional<double> tightest;
    for (const fs::path& group : find_cpu_groups(cgroup_file, root)) {
        if (const auto quota = quota_of(group)) {
            tightest = std::min(tightest.value_or(*quota), *quota);
        }
    }
    return tightest;
}

std::optional<Throttling> read_throttling(const fs::path& cgroup_file, const fs::path& root) {
    std::optional<Throttling> sum;
    for (const fs::path& group : find_cpu_groups(cgroup_file, root)) {
        const auto of_group = throttling_of(group);
        if (!of_group) continue;
        if (!sum) sum.emplace();
        sum->periods += of_group->periods;
        sum->seconds += of_group->seconds;
    }
    return sum;
}

}  // namespace dp::experiments
