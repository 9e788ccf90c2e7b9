#include "multiproc/signal_scope.hpp"

#include <algorithm>
#include <ctime>

namespace dp::multiproc {
namespace {

constexpr long kPollNanoseconds = 100'000'000;

}  // namespace

SignalScope::SignalScope() {
    sigemptyset(&waited_);
    sigaddset(&waited_, SIGCHLD);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        // One that is ignored stays so (nohup ignores SIGHUP): blocked, it would be queued all the
        // same.
        struct sigaction current {};
        sigaction(signal, nullptr, &current);
        if (current.sa_handler != SIG_IGN) sigaddset(&waited_, signal);
    }
    sigprocmask(SIG_BLOCK, &waited_, &previous_);
    struct sigaction action {};
    action.sa_handler = SIG_DFL;  // with SIGCHLD ignored, the kernel would drop exit states
    sigaction(SIGCHLD, &action, &previous_child_);
}

SignalScope::~SignalScope() {
    // A second Ctrl-C must not end this process before it has said why the first one did.
    const timespec now{0, 0};
    while (sigtimedwait(&waited_, nullptr, &now) > 0) {
    }
    restore();
}

void SignalScope::restore() const {
    sigaction(SIGCHLD, &previous_child_, nullptr);
    sigprocmask(SIG_SETMASK, &previous_, nullptr);
}

void SignalScope::restore_in_child() const {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        if (sigismember(&waited_, signal) == 0) continue;
        struct sigaction action {};
        action.sa_handler = SIG_DFL;
        sigaction(signal, &action, nullptr);
    }
    restore();
}

int SignalScope::wait() const {
    const timespec limit{0, kPollNanoseconds};
    return std::max(0, sigtimedwait(&waited_, nullptr, &limit));
}

}  // namespace dp::multiproc
