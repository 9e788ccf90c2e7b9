// Which waiting is owed to ranks that had no CPU, worked out by hand.
#include "core/measure/off_cpu.hpp"

#include "core/base/check.hpp"
#include "tests/support/catch.hpp"

using namespace dp::core;

namespace {

constexpr std::int64_t kMs = 1'000'000;

/// Arrivals, and the time off the CPU before each, in milliseconds.
StepArrivals rank(std::vector<std::int64_t> arrivals_ms, std::vector<std::int64_t> off_ms) {
    StepArrivals made;
    for (const std::int64_t ms : arrivals_ms) made.exchange_ns.push_back(ms * kMs);
    for (const std::int64_t ms : off_ms) made.off_cpu_ns.push_back(ms * kMs);
    return made;
}

std::vector<double> owed(const std::vector<StepArrivals>& ranks) {
    std::vector<const StepArrivals*> all;
    for (const StepArrivals& each : ranks) all.push_back(&each);
    return find_wait_for_off_cpu(all);
}

}  // namespace

TEST_CASE("the rank that waits for a preempted one owes its waiting to that") {
    // Rank 1 lost 20 ms in the second step, and would have come 5 ms before rank 0.
    const auto seconds = owed({rank({100, 200}, {0, 0}), rank({95, 215}, {0, 20})});
    CHECK(seconds[0] == Approx(0.015));
    // It lost 20 ms and the others waited 15: 5 ms of its own waiting are gone.
    CHECK(seconds[1] == Approx(0.015 - 0.020));
}

TEST_CASE("a preempted rank that is not the last costs nothing") {
    const auto seconds = owed({rank({100}, {0}), rank({90}, {10})});
    CHECK(seconds[0] == 0.0);
    CHECK(seconds[1] == Approx(-0.010));
}

TEST_CASE("ranks that lose their CPUs at once wait no longer for each other") {
    const auto seconds = owed({rank({100}, {10}), rank({100}, {10}), rank({100}, {10})});
    for (const double each : seconds) CHECK(each == 0.0);
}

TEST_CASE("a rank alone waits for nobody, and clocks that round below 0 cost nothing") {
    CHECK(owed({rank({100}, {10})}) == std::vector<double>{0.0});
    CHECK(owed({rank({100}, {-1}), rank({100}, {0})}) == std::vector<double>{0.0, 0.0});
    CHECK(owed({}).empty());
}

TEST_CASE("ranks of different steps are refused") {
    CHECK_THROWS_AS(owed({rank({100}, {0}), rank({100, 200}, {0, 0})}), CheckFailure);
    CHECK_THROWS_AS(owed({rank({100}, {0}), rank({100}, {})}), CheckFailure);
}
