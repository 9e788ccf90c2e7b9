// What the CPU counts, where it lets us read it, and that nothing is invented where it does not.
#include "core/measure/hardware_counters.hpp"

#include <sys/resource.h>

#include "tests/support/catch.hpp"

using namespace dp::core;

TEST_CASE("counters grow with the work, or there are none") {
    const HardwareCounters counters;
    const auto before = counters.read();
    constexpr int kAdditions = 1'000'000;
    volatile int sum = 0;
    for (int i = 0; i < kAdditions; ++i) sum = sum + i;
    const auto after = counters.read();
    CHECK(before.has_value() == after.has_value());
    if (!before || !after) {
        WARN("this system lets no program read its hardware counters");
        return;
    }
    const HardwareCounts spent = *after - *before;
    CHECK(spent.instructions >= kAdditions);
    CHECK(spent.cycles > 0.0);
    CHECK(spent.cache_misses >= 0.0);
}

TEST_CASE("counters that cannot be opened are none and no error") {
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlimit none{0, limit.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const HardwareCounters counters;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_FALSE(counters.read());
}

TEST_CASE("counts are subtracted each from its own") {
    CHECK(HardwareCounts{10, 20, 30} - HardwareCounts{1, 2, 3} == HardwareCounts{9, 18, 27});
}
