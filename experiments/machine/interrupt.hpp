// Ctrl-C while no worker runs: between the runs of a sweep, or while plots are drawn. While workers
// run their supervisor waits for signals itself (multiproc/process_group.hpp); in between, the
// default action would end the program without a word and without the sweep's state.
#pragma once

#include <array>
#include <csignal>
#include <string_view>

#include "core/base/error.hpp"

namespace dp::experiments {

/// Keeps SIGINT, SIGTERM and SIGHUP from ending this process while it lives; those that are ignored
/// stay so. Scopes may nest; a process with one thread.
class InterruptScope {
public:
    InterruptScope();
    ~InterruptScope();
    InterruptScope(const InterruptScope&) = delete;
    InterruptScope& operator=(const InterruptScope&) = delete;

    /// Returns whether such a signal has come.
    static bool received();
    /// Throws Error(kInterrupted or kTerminated) when one has, with `state`: what is left, and the
    /// next step.
    static void check(std::string_view state);

private:
    static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
    std::array<struct sigaction, kSignals.size()> previous_{};
};

/// Whether `error` is the user's wish to stop.
inline bool is_interrupt(const core::Error& error) {
    return error.code() == core::ExitCode::kInterrupted ||
           error.code() == core::ExitCode::kTerminated;
}

}  // namespace dp::experiments
