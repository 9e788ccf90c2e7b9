// Waits between workers: by the value, by a peer's failure, by the deadline.
#include "core/base/wait.hpp"

#include <chrono>
#include <thread>
#include <vector>

#include "core/base/error.hpp"
#include "core/measure/usage.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp::core;

namespace {

const auto kAny = [](std::uint32_t value) { return value != 0; };

const std::vector kKinds{WaitKind::kAuto, WaitKind::kSpin, WaitKind::kYield, WaitKind::kBlock};

}  // namespace

TEST_CASE("a wait for a value that is there takes no time") {
    std::atomic<std::uint32_t> failed{0};
    SharedCounter counter;
    counter.publish(1);
    CHECK(counter.wait(kAny, {&failed, 1.0}) == 0.0);
}

TEST_CASE("a sleeping wait is woken by the value") {
    std::atomic<std::uint32_t> failed{0};
    SharedCounter counter;
    std::thread publisher([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        counter.publish(1);
    });
    const double waited = counter.wait(kAny, {&failed, 10.0});
    publisher.join();
    CHECK(waited < 5.0);
    CHECK(counter.load() == 1);
}

TEST_CASE("ten thousand turns of ping-pong lose no wake-up, however one waits") {
    std::atomic<std::uint32_t> failed{0};
    SharedCounter ping;
    SharedCounter pong;
    const WaitKind kind = GENERATE(WaitKind::kAuto, WaitKind::kYield, WaitKind::kBlock);
    const WaitLimits limits{&failed, 30.0, nullptr, kind};
    constexpr std::uint32_t kTurns = 10'000;
    std::thread peer([&] {
        for (std::uint32_t turn = 1; turn <= kTurns; ++turn) {
            ping.wait([turn](std::uint32_t value) { return value == turn; }, limits);
            pong.publish(turn);
        }
    });
    for (std::uint32_t turn = 1; turn <= kTurns; ++turn) {
        ping.publish(turn);
        pong.wait([turn](std::uint32_t value) { return value == turn; }, limits);
    }
    peer.join();
    CHECK(pong.load() == kTurns);
}

TEST_CASE("who blocks sleeps, and who spins does not") {
    std::atomic<std::uint32_t> failed{0};
    const auto usage_of = [&](WaitKind kind) {
        SharedCounter counter;
        std::thread publisher([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            counter.publish(1);
        });
        const ThreadUsage before = read_thread_usage();
        counter.wait(kAny, {&failed, 30.0, nullptr, kind});
        const ThreadUsage usage = read_thread_usage() - before;
        publisher.join();
        return usage;
    };
    // It wakes every 20 ms to look for a failure, and computes for some microseconds then.
    const ThreadUsage blocked = usage_of(WaitKind::kBlock);
    CHECK(blocked.voluntary_switches >= 5);
    CHECK(blocked.cpu_seconds < 0.03);
    const ThreadUsage spun = usage_of(WaitKind::kSpin);
    CHECK(spun.voluntary_switches < 5);
    CHECK(spun.cpu_seconds > 2 * blocked.cpu_seconds);
    // On a busy machine others have the CPU meanwhile.
    CHECK(usage_of(WaitKind::kYield).voluntary_switches < 5);
}

TEST_CASE("a peer's failure ends a wait") {
    std::atomic<std::uint32_t> failed{0};
    SharedCounter counter;
    const WaitKind kind = GENERATE(from_range(kKinds));
    std::thread supervisor([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        failed.store(1);
    });
    CHECK_THROWS_AS(counter.wait(kAny, WaitLimits{&failed, 30.0, nullptr, kind}), PeerFailed);
    supervisor.join();
}

TEST_CASE("the deadline ends a wait with a stall error") {
    std::atomic<std::uint32_t> failed{0};
    SharedCounter counter;
    const WaitKind kind = GENERATE(from_range(kKinds));
    const auto error = dp::tests::error_of([&] {
        counter.wait(kAny, {&failed, 0.1, nullptr, kind});
    });
    REQUIRE(error);
    CHECK(error->code() == ExitCode::kStalled);
}
