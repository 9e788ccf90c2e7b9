#include "core/base/affinity.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <span>

namespace dp::core {
namespace {

/// A bit for each CPU; Linux is built for 8,192 at most.
using Mask = std::array<unsigned char, 4096>;

Mask started{};
long started_bytes = 0;  // that the kernel filled

/// Returns how many bytes of `mask` the kernel filled. No library may be asked: none has started.
__attribute__((no_sanitize("address", "thread", "undefined"))) long read_mask(unsigned char* mask) {
    return syscall(SYS_sched_getaffinity, 0, sizeof(Mask), mask);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void read_started() {
    started_bytes = read_mask(reinterpret_cast<unsigned char*>(&started));
}

// The dynamic loader calls what this section of a program names before the constructors of shared
// libraries.
__attribute__((section(".preinit_array"), used)) void (*call_first)() = read_started;

std::vector<int> cpus_of(std::span<const unsigned char> mask) {
    std::vector<int> cpus;
    for (std::size_t cpu = 0; cpu < mask.size() * 8; ++cpu) {
        if ((mask[cpu / 8] >> (cpu % 8) & 1) != 0) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus.empty() ? std::vector{0} : cpus;
}

}  // namespace

std::vector<int> started_cpus() { return cpus_of(started); }

std::vector<int> current_cpus() {
    Mask mask{};
    read_mask(mask.data());
    return cpus_of(mask);
}

void restore_cpus() noexcept {
    if (started_bytes > 0) syscall(SYS_sched_setaffinity, 0, started_bytes, started.data());
}

bool run_on(std::span<const int> cpus) noexcept {
    Mask wanted{};
    for (const int cpu : cpus) {
        const auto at = static_cast<std::size_t>(cpu);
        if (cpu < 0 || at / 8 >= wanted.size()) return false;
        wanted[at / 8] = static_cast<unsigned char>(wanted[at / 8] | 1U << (at % 8));
    }
    if (syscall(SYS_sched_setaffinity, 0, wanted.size(), wanted.data()) != 0) return false;
    // The kernel leaves out what the control group does not allow, and says nothing.
    Mask given{};
    read_mask(given.data());
    return given == wanted;
}

}  // namespace dp::core
