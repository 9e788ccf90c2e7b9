// Ctrl-C between the runs of a sweep. While workers run their supervisor waits for signals itself
// (multiproc/process_group.hpp); in between, the default action would end the program without a
// word and without the sweep's state.
#pragma once

#include <array>
#include <csignal>

namespace dp::experiments {

/// Keeps SIGINT, SIGTERM and SIGHUP from ending this process while it lives; those that are ignored
/// stay so. One at a time, in a process with one thread.
class InterruptScope {
public:
    InterruptScope();
    ~InterruptScope();
    InterruptScope(const InterruptScope&) = delete;
    InterruptScope& operator=(const InterruptScope&) = delete;

    /// Throws Error(kInterrupted or kTerminated) when such a signal has come.
    static void check();

private:
    static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
    std::array<struct sigaction, kSignals.size()> previous_{};
};

}  // namespace dp::experiments
