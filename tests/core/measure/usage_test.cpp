// What the kernel counts, against things done on purpose.
#include "core/measure/usage.hpp"

#include <chrono>
#include <cstddef>
#include <thread>

#include "core/base/memory_block.hpp"
#include "tests/support/catch.hpp"

using namespace dp::core;

TEST_CASE("a thread that sleeps has switched voluntarily and used hardly any CPU time") {
    const ThreadUsage before = read_thread_usage();
    for (int i = 0; i < 5; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const ThreadUsage spent = read_thread_usage() - before;
    CHECK(spent.voluntary_switches >= 5);
    CHECK(spent.cpu_seconds < 0.010);
}

TEST_CASE("a thread that computes has used CPU time") {
    const ThreadUsage before = read_thread_usage();
    const auto start = std::chrono::steady_clock::now();
    double used = 0.0;
    // Its share of a busy machine's CPUs comes sooner or later.
    while (used < 0.02 && std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
        used = (read_thread_usage() - before).cpu_seconds;
    }
    CHECK(used >= 0.02);
}

TEST_CASE("a process's memory counts pages that it touches, private ones apart from shared ones") {
    constexpr std::size_t kBytes = 16 << 20;
    const auto before = read_process_memory();
    REQUIRE(before);
    FloatBlock block(kBytes / sizeof(float));
    for (float& value : block.span()) value = 1.F;
    const auto after = read_process_memory();
    CHECK(after->private_bytes - before->private_bytes >= kBytes);
    CHECK(after->pss_bytes - before->pss_bytes >= kBytes);
}

TEST_CASE("the memory of a process that is not there is not told") {
    CHECK(!read_process_memory(0x7ffffff0));
}
