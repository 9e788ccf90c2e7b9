#include "core/base/wait.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

// More spins delay a peer that shares the core, fewer send a peer on another core into the kernel:
// 100 pauses are about 3 us, less than one switch of context and more than one barrier between two
// cores.
constexpr std::uint32_t kSpins = 100;
constexpr std::uint32_t kYields = 20;
// How late a sleeper may notice a failure or a deadline.
constexpr long kSleepNanoseconds = 20'000'000;

// Neither call is FUTEX_PRIVATE: the counter may lie in memory shared between processes.
void futex_wake_all(std::atomic<std::uint32_t>& word) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr,
            nullptr, 0);
}

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
    const timespec limit{0, kSleepNanoseconds};
    // Any return will do: the caller looks at the value again.
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, expected, &limit,
            nullptr, 0);
}

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

void SharedCounter::publish(std::uint32_t value) {
    value_.store(value, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) futex_wake_all(value_);
}

SharedCounter::Waiter::Waiter(SharedCounter& counter, const WaitLimits& limits)
    : counter_(counter), limits_(limits) {
    if (limits_.waiting != nullptr) limits_.waiting->store(1, std::memory_order_relaxed);
}

double SharedCounter::Waiter::end() const {
    if (limits_.waiting != nullptr) limits_.waiting->store(0, std::memory_order_relaxed);
    return seconds();
}

std::uint32_t SharedCounter::Waiter::step(std::uint32_t seen) {
    ++steps_;
    const WaitKind kind = now();
    if (kind == WaitKind::kSpin) {
        pause();
        // A look at the clock takes as long as a pause.
        if (steps_ % kSpins == 0) check_limits();
        return counter_.load();
    }
    check_limits();
    if (kind == WaitKind::kBlock) return sleep(seen);
    sched_yield();
    return counter_.load();
}

WaitKind SharedCounter::Waiter::now() const {
    if (limits_.kind != WaitKind::kAuto) return limits_.kind;
    if (steps_ <= kSpins) return WaitKind::kSpin;
    return steps_ <= kSpins + kYields ? WaitKind::kYield : WaitKind::kBlock;
}

std::uint32_t SharedCounter::Waiter::sleep(std::uint32_t seen) {
    counter_.sleepers_.fetch_add(1, std::memory_order_seq_cst);
    std::uint32_t now = counter_.value_.load(std::memory_order_seq_cst);
    if (now == seen) {
        futex_wait(counter_.value_, seen);
        now = counter_.load();
    }
    counter_.sleepers_.fetch_sub(1, std::memory_order_relaxed);
    return now;
}

double SharedCounter::Waiter::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void SharedCounter::Waiter::check_limits() const {
    // Acquire: whoever set the flag wrote the reason before it.
    if (limits_.failed->load(std::memory_order_acquire) != 0) throw PeerFailed();
    if (seconds() > limits_.timeout_seconds) {
        throw Error(ExitCode::kStalled,
                    "waited {} s for another worker: give slow workers more time with --timeout",
                    limits_.timeout_seconds);
    }
}

}  // namespace dp::core
