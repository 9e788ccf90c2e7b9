// Where a worker's time goes. One clock per worker, always in exactly one phase, so that the phases
// sum to the wall time. What of it the worker's thread was on a CPU, the kernel tells: a system
// call, of 0.5 us on a virtual core of Zen 5 (bench/trace.cpp), so that a change of phase costs as
// much and a step of seven of them 4 us.
#pragma once

#include <ctime>

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace dp::core {

enum class Phase : unsigned {
    kLoad,
    kForward,
    kBackward,
    kExchange,
    kUpdate,
    kPublish,
    kEvaluate,
    kOther
};

inline constexpr std::size_t kPhases = 8;
inline constexpr std::array<std::string_view, kPhases> kPhaseNames{
    "load", "forward", "backward", "exchange", "update", "publish", "evaluate", "other"};

constexpr std::string_view name_of(Phase phase) {
    return kPhaseNames[static_cast<std::size_t>(phase)];
}

using PhaseSeconds = std::array<double, kPhases>;

struct PhaseTimes {
    PhaseSeconds wall{};
    /// The calling thread's alone. Beside others that compute for the worker it spins until they
    /// are done, so that its CPU time says nothing of theirs.
    PhaseSeconds cpu{};
};

inline PhaseTimes operator-(PhaseTimes a, const PhaseTimes& b) {
    for (std::size_t i = 0; i < kPhases; ++i) {
        a.wall[i] -= b.wall[i];
        a.cpu[i] -= b.cpu[i];
    }
    return a;
}

/// Seconds that the calling thread has been on a CPU since it started.
inline double thread_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Thread safety: none; made and used by the worker's thread.
class PhaseClock {
public:
    using Clock = std::chrono::steady_clock;

    /// Ends the current phase, starts `phase` and returns the time.
    Clock::time_point enter(Phase phase) {
        const auto now = Clock::now();
        const double cpu = thread_cpu_seconds();
        const auto at = static_cast<std::size_t>(current_);
        times_.wall[at] += std::chrono::duration<double>(now - since_).count();
        times_.cpu[at] += cpu - cpu_since_;
        since_ = now;
        cpu_since_ = cpu;
        current_ = phase;
        return now;
    }

    /// Seconds in each phase since construction, up to the last enter().
    [[nodiscard]] const PhaseTimes& times() const { return times_; }

private:
    PhaseTimes times_;
    Phase current_ = Phase::kOther;
    Clock::time_point since_ = Clock::now();
    double cpu_since_ = thread_cpu_seconds();
};

}  // namespace dp::core
