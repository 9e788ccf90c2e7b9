#include "core/measure/hardware_counters.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace dp::core {
namespace {

constexpr std::array<std::uint64_t, 3> kEvents{PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS,
                                               PERF_COUNT_HW_CACHE_MISSES};

/// What read() yields of a group of events with the read_format below.
struct GroupRead {
    std::uint64_t count;
    std::uint64_t enabled_ns;
    std::uint64_t running_ns;
    std::array<std::uint64_t, kEvents.size()> values;
};

int open_event(std::uint64_t event, int leader) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof attributes;
    attributes.config = event;
    attributes.exclude_kernel = 1;  // all that perf_event_paranoid = 2, the default, allows
    attributes.exclude_hv = 1;
    attributes.read_format =
        PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    constexpr int kThisThread = 0;
    constexpr int kAnyCpu = -1;
    return static_cast<int>(syscall(SYS_perf_event_open, &attributes, kThisThread, kAnyCpu, leader,
                                    PERF_FLAG_FD_CLOEXEC));
}

void close_all(std::array<int, 3>& files) {
    for (int& file : files) {
        if (file >= 0) close(file);
        file = -1;
    }
}

}  // namespace

HardwareCounts operator-(const HardwareCounts& a, const HardwareCounts& b) {
    return {a.cycles - b.cycles, a.instructions - b.instructions, a.cache_misses - b.cache_misses};
}

HardwareCounters::HardwareCounters() {
    for (std::size_t i = 0; i < kEvents.size(); ++i) {
        files_.at(i) = open_event(kEvents.at(i), files_.front());
        if (files_.at(i) >= 0) continue;
        close_all(files_);  // all or none: they are read together
        return;
    }
}

HardwareCounters::~HardwareCounters() { close_all(files_); }

std::optional<HardwareCounts> HardwareCounters::read() const {
    if (files_.front() < 0) return std::nullopt;
    GroupRead group{};
    if (::read(files_.front(), &group, sizeof group) != static_cast<ssize_t>(sizeof group) ||
        group.running_ns == 0) {
        return std::nullopt;
    }
    const double scale =
        static_cast<double>(group.enabled_ns) / static_cast<double>(group.running_ns);
    return HardwareCounts{static_cast<double>(group.values[0]) * scale,
                          static_cast<double>(group.values[1]) * scale,
                          static_cast<double>(group.values[2]) * scale};
}

}  // namespace dp::core
