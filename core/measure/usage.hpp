// What the kernel counts of a thread and of a process. Read between epochs and after the last one,
// never in a step.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "core/measure/hardware_counters.hpp"

namespace dp::core {

/// Counts of one thread; a difference of two readings covers the time between them.
struct ThreadUsage {
    double cpu_seconds = 0.0;                // user and system
    std::int64_t voluntary_switches = 0;     // it waited
    std::int64_t involuntary_switches = 0;   // another took its CPU
    std::optional<std::int64_t> migrations;  // to another CPU; none where the kernel does not tell
    std::optional<HardwareCounts> counts = {};  // none where the system does not tell
    std::optional<double> cpu_mhz = {};         // of its CPU at the end of that time; likewise
};

/// Of the calling thread, since it started; counts are those of `counters`, if it is given.
ThreadUsage read_thread_usage(const HardwareCounters* counters = nullptr);

/// a - b; migrations and counts where both have them.
ThreadUsage operator-(const ThreadUsage& a, const ThreadUsage& b);

/// Physical memory of one process now.
struct ProcessMemory {
    std::uint64_t pss_bytes = 0;  // a page that k processes map counts as 1/k of a page for each
    std::uint64_t private_bytes = 0;  // pages that it alone maps
    std::uint64_t shared_bytes = 0;   // pages that others map too, counted in full
};

/// Of process `pid`, or of this one for 0. None where the kernel does not tell, or not to us.
std::optional<ProcessMemory> read_process_memory(pid_t pid = 0);

}  // namespace dp::core
