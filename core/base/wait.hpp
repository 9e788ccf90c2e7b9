// Waiting for another worker, thread or process: a counter that one side publishes and the other
// waits for.
//
// Unless told otherwise a wait spins briefly (a peer on another core answers within a microsecond),
// then yields its core (a peer that shares the core gets it), then sleeps on a futex. It always
// ends: by the value, by a peer's failure, or by a deadline. Works in private memory and in memory
// shared between processes alike.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>

#include "core/base/memory_block.hpp"

namespace dp::core {

/// Another worker has failed; whoever supervises knows which and why.
class PeerFailed : public std::runtime_error {
public:
    PeerFailed() : std::runtime_error("another worker has failed") {}
};

/// How a worker passes the time of a wait.
enum class WaitKind {
    kAuto,   // each of the others in turn, from the fastest to the most sparing
    kSpin,   // looks again and again: fastest, and keeps its core from a peer that shares it
    kYield,  // lets another have the core, if one wants it, and looks again
    kBlock,  // sleeps on a futex until it is woken, which costs microseconds
};

/// What ends a wait other than its value. Borrowed: what it points to outlives every wait.
struct WaitLimits {
    const std::atomic<std::uint32_t>* failed = nullptr;  // non-zero once any worker has failed
    double timeout_seconds = 300.0;                      // of one wait
    /// If not null, 1 while this worker waits and after a wait that threw: when all wait for one,
    /// it is the one that does not. Written relaxed, read by whoever looks for the culprit.
    std::atomic<std::uint32_t>* waiting = nullptr;
    WaitKind kind = WaitKind::kAuto;
};

/// A counter with one writer at a time and any number of readers, on a cache line of its own, so
/// that neither side's neighbours slow it down. Zero bytes are a valid start.
///
/// Invariants:
///  1. value_ only changes by publish(), called by one worker at a time.
///  2. A sleeper registers in sleepers_ before it looks at value_ for the last time; publish()
///     stores value_ before it looks at sleepers_. Both are sequentially consistent, so one of the
///     two sees the other.
class alignas(kAlignmentBytes) SharedCounter {
public:
    /// Pairs with publish(): what the writer wrote before it is visible after.
    [[nodiscard]] std::uint32_t load() const { return value_.load(std::memory_order_acquire); }

    void publish(std::uint32_t value);

    /// Waits until `reached`(value) is true and returns the seconds that took, 0 when it was true
    /// at once. Throws PeerFailed, or Error(kStalled) at the deadline.
    template <typename Reached>
    double wait(const Reached& reached, const WaitLimits& limits) {
        std::uint32_t seen = load();
        if (reached(seen)) return 0.0;
        Waiter waiter(*this, limits);
        while (!reached(seen)) seen = waiter.step(seen);
        return waiter.end();
    }

private:
    class Waiter {
    public:
        Waiter(SharedCounter& counter, const WaitLimits& limits);
        /// Waits a little longer and returns the value then.
        std::uint32_t step(std::uint32_t seen);
        /// Returns the seconds since construction.
        double end() const;

    private:
        [[nodiscard]] double seconds() const;
        /// What to do now, never kAuto.
        [[nodiscard]] WaitKind now() const;
        std::uint32_t sleep(std::uint32_t seen);
        void check_limits() const;

        SharedCounter& counter_;
        const WaitLimits& limits_;
        std::uint32_t steps_ = 0;
        std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    };

    std::atomic<std::uint32_t> value_{0};
    std::atomic<std::uint32_t> sleepers_{0};
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace dp::core
