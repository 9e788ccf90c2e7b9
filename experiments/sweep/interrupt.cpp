#include "experiments/sweep/interrupt.hpp"

#include <cstddef>

#include "core/base/error.hpp"

namespace dp::experiments {
namespace {

// All that a signal handler can reach.
volatile std::sig_atomic_t received = 0;

void remember(int signal) { received = signal; }

}  // namespace

InterruptScope::InterruptScope() {
    received = 0;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        sigaction(kSignals[i], nullptr, &previous_[i]);
        if (previous_[i].sa_handler == SIG_IGN) continue;
        struct sigaction action {};
        action.sa_handler = remember;
        sigaction(kSignals[i], &action, nullptr);
    }
}

InterruptScope::~InterruptScope() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        sigaction(kSignals[i], &previous_[i], nullptr);
    }
}

void InterruptScope::check() {
    if (received == 0) return;
    if (received == SIGINT) {
        throw core::Error(core::ExitCode::kInterrupted, "interrupted: the sweep is incomplete");
    }
    throw core::Error(core::ExitCode::kTerminated, "terminated: the sweep is incomplete");
}

}  // namespace dp::experiments
