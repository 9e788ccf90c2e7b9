// What a CPU counts of the calling thread, through Linux's perf_event_open(2). Many virtual
// machines and containers have no such counters or do not let programs read them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace dp::core {

/// Of a thread in user mode. Where other counters took turns with these, estimates from the share
/// of the time that they ran.
struct HardwareCounts {
    double cycles = 0.0;
    double instructions = 0.0;
    double cache_misses = 0.0;  // of the last level, as the kernel defines it for the CPU

    bool operator==(const HardwareCounts&) const = default;
};

HardwareCounts operator-(const HardwareCounts& a, const HardwareCounts& b);

/// Thread safety: none; made and read by the thread that it counts. Memory bandwidth is not among
/// its counters: those are of a whole package, which a program may not read without privileges.
class HardwareCounters {
public:
    /// Begins to count, if the system lets it.
    HardwareCounters();
    ~HardwareCounters();
    HardwareCounters(const HardwareCounters&) = delete;
    HardwareCounters& operator=(const HardwareCounters&) = delete;

    /// Since construction; none where the system does not count, or has not yet.
    [[nodiscard]] std::optional<HardwareCounts> read() const;

private:
    std::array<int, 3> files_{-1, -1, -1};  // one group, the first leads; -1: none of them
};

}  // namespace dp::core
