// The signals that one who supervises processes waits for.
#pragma once

#include <csignal>

namespace dp::multiproc {

/// Blocks SIGCHLD, and of SIGINT, SIGTERM and SIGHUP those that are not ignored, while it lives, so
/// that none is lost between fork and wait. A process with one thread.
class SignalScope {
public:
    SignalScope();
    ~SignalScope();
    SignalScope(const SignalScope&) = delete;
    SignalScope& operator=(const SignalScope&) = delete;

    /// In a child: a handler of the supervisor's program is not for it.
    void restore_in_child() const;

    /// The next of the signals, or 0 after a tenth of a second, should one be lost.
    [[nodiscard]] int wait() const;

private:
    void restore() const;

    sigset_t waited_{};
    sigset_t previous_{};
    struct sigaction previous_child_ {};
};

}  // namespace dp::multiproc
