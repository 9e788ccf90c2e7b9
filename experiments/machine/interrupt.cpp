#include "experiments/machine/interrupt.hpp"

#include <cstddef>

namespace dp::experiments {
namespace {

// All that a signal handler can reach.
volatile std::sig_atomic_t caught = 0;

void remember(int signal) { caught = signal; }

}  // namespace

InterruptScope::InterruptScope() {
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

bool InterruptScope::received() { return caught != 0; }

void InterruptScope::check(std::string_view state) {
    if (!received()) return;
    if (caught == SIGINT) {
        throw core::Error(core::ExitCode::kInterrupted, "interrupted: {}", state);
    }
    throw core::Error(core::ExitCode::kTerminated, "terminated: {}", state);
}

}  // namespace dp::experiments
