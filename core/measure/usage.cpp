#include "core/measure/usage.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace dp::core {
namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// The line "se.nr_migrations : 12" of sched(5)'s file, there in kernels with scheduler statistics.
std::optional<std::int64_t> read_migrations() {
    std::ifstream file("/proc/thread-self/sched");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("se.nr_migrations")) continue;
        std::stringstream value(line.substr(line.find(':') + 1));
        std::int64_t migrations = 0;
        if (value >> migrations) return migrations;
    }
    return std::nullopt;
}

/// sysfs has kHz, where the kernel knows the clock.
std::optional<double> read_mhz(int cpu) {
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu));
    double khz = 0.0;
    return file >> khz ? std::optional(khz * 1e-3) : std::nullopt;
}

}  // namespace

ThreadUsage read_thread_usage(const HardwareCounters* counters) {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
            usage.ru_nvcsw,
            usage.ru_nivcsw,
            read_migrations(),
            counters == nullptr ? std::nullopt : counters->read(),
            read_mhz(sched_getcpu())};
}

ThreadUsage operator-(const ThreadUsage& a, const ThreadUsage& b) {
    ThreadUsage difference{a.cpu_seconds - b.cpu_seconds,
                           a.voluntary_switches - b.voluntary_switches,
                           a.involuntary_switches - b.involuntary_switches,
                           {},
                           {},
                           a.cpu_mhz};
    if (a.counts && b.counts) difference.counts = *a.counts - *b.counts;
    if (a.migrations && b.migrations) difference.migrations = *a.migrations - *b.migrations;
    return difference;
}

std::optional<ProcessMemory> read_process_memory(pid_t pid) {
    std::ifstream file(
        fmt::format("/proc/{}/smaps_rollup", pid == 0 ? "self" : fmt::to_string(pid)));
    ProcessMemory memory;
    bool found = false;
    for (std::string line; std::getline(file, line);) {
        std::stringstream words(line);
        std::string name;
        std::uint64_t kib = 0;
        if (!(words >> name >> kib)) continue;
        const std::uint64_t bytes = kib * 1024;
        if (name == "Pss:") {
            memory.pss_bytes = bytes;
            found = true;
        } else if (name == "Private_Clean:" || name == "Private_Dirty:") {
            memory.private_bytes += bytes;
        } else if (name == "Shared_Clean:" || name == "Shared_Dirty:") {
            memory.shared_bytes += bytes;
        }
    }
    if (!found) return std::nullopt;
    return memory;
}

}  // namespace dp::core
