// The threads' barrier alone.
#include "threaded/barrier.hpp"

#include <atomic>
#include <vector>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using threaded::Barrier;

TEST_CASE("no thread leaves a barrier before all have arrived, and all see what was written") {
    for (const std::size_t threads : {1UL, 2UL, 3UL, 7UL}) {
        Barrier barrier(threads);
        std::vector<std::size_t> round_of(threads);  // plain memory: the barrier orders it
        std::atomic<std::size_t> wrong{0};
        std::atomic<std::uint32_t> failed{0};
        const core::WaitLimits limits{&failed, 60.0};
        threaded::run_team(
            threads,
            [&](std::size_t rank) {
                for (std::size_t round = 1; round <= 1000; ++round) {
                    round_of[rank] = round;
                    barrier.arrive_and_wait(limits);
                    for (const std::size_t other : round_of) {
                        if (other != round) ++wrong;
                    }
                    barrier.arrive_and_wait(limits);
                }
            },
            [&] { failed.store(1); });
        CHECK(wrong == 0);
    }
}

TEST_CASE("a barrier that one thread never reaches ends at the deadline, or when that one fails") {
    std::atomic<std::uint32_t> failed{0};
    Barrier barrier(2);
    const auto error = tests::error_of([&] { barrier.arrive_and_wait({&failed, 0.05}); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kStalled);
    Barrier another(2);
    failed.store(1);
    CHECK_THROWS_AS(another.arrive_and_wait({&failed, 60.0}), core::PeerFailed);
}
