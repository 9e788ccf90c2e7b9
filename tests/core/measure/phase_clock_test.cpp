// Wall time and CPU time of phases, against things done on purpose.
#include "core/measure/phase_clock.hpp"

#include <thread>

#include "tests/support/catch.hpp"

using namespace dp::core;

TEST_CASE("a phase in which the thread sleeps has wall time and hardly any CPU time") {
    PhaseClock clock;
    clock.enter(Phase::kExchange);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    clock.enter(Phase::kOther);
    constexpr auto kAt = static_cast<std::size_t>(Phase::kExchange);
    CHECK(clock.times().wall[kAt] >= 0.030);
    CHECK(clock.times().cpu[kAt] < 0.010);
}

TEST_CASE("a phase in which the thread computes has the CPU time of its own work") {
    PhaseClock clock;
    clock.enter(Phase::kForward);
    const double start = thread_cpu_seconds();
    // Its share of a busy machine's CPUs comes sooner or later.
    while (thread_cpu_seconds() - start < 0.020) {
    }
    clock.enter(Phase::kUpdate);
    const PhaseTimes before = clock.times();
    clock.enter(Phase::kOther);
    constexpr auto kAt = static_cast<std::size_t>(Phase::kForward);
    CHECK(before.cpu[kAt] >= 0.020);
    CHECK(before.cpu[kAt] <= before.wall[kAt] + 1e-3);
    const PhaseTimes later = clock.times() - before;
    CHECK(later.cpu[kAt] == 0.0);
    CHECK(later.cpu[static_cast<std::size_t>(Phase::kUpdate)] < 0.010);
}
