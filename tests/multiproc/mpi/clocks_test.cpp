// Times of several machines on one clock.
#include "multiproc/mpi/clocks.hpp"

#include "tests/support/catch.hpp"

using namespace dp;
using multiproc::ClockReading;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// Machine 1's clock is 500 s ahead when rank 0's says 10 s, and gains 50 microseconds a second.
constexpr std::int64_t on_machine_1(std::int64_t first_ns) {
    return first_ns + 500 * kSecond + (first_ns - 10 * kSecond) / 20'000;
}

ClockReading reading(std::int64_t first_ns, std::int64_t error_ns) {
    return {first_ns, on_machine_1(first_ns), error_ns};
}

/// Two steps of a second each; rank 1 comes a millisecond after rank 0 in both.
core::RunResult two_ranks() {
    core::RunResult result;
    result.steps_per_epoch = 2;
    result.epochs.resize(1);
    result.epochs[0].train_seconds = 2.0;
    for (const std::size_t rank : {0UL, 1UL}) {
        core::WorkerReport worker;
        worker.rank = rank;
        worker.epochs.resize(1);
        core::StepArrivals& arrivals = worker.arrivals.emplace_back();
        for (const std::int64_t second : {11, 12}) {
            const std::int64_t time =
                second * kSecond + static_cast<std::int64_t>(rank) * 1'000'000;
            arrivals.exchange_ns.push_back(rank == 0 ? time : on_machine_1(time));
        }
        worker.trace.names = {"forward"};
        core::TraceEvent event;
        event.begin_ns = rank == 0 ? 11 * kSecond : on_machine_1(11 * kSecond);
        event.end_ns = event.begin_ns + 1000;
        worker.trace.events.push_back(event);
        result.workers.push_back(std::move(worker));
    }
    return result;
}

core::RunResult aligned(std::int64_t error_ns) {
    core::RunResult result = two_ranks();
    const std::vector<ClockReading> start{{}, reading(10 * kSecond, error_ns)};
    const std::vector<ClockReading> end{{}, reading(14 * kSecond, error_ns / 2)};
    multiproc::align_times(result, start, end, 1);
    core::attribute_lateness(result);
    return result;
}

}  // namespace

TEST_CASE("a reading is wrong by half the round trip at most") {
    constexpr ClockReading reading = multiproc::reading_of(100, 777, 203);
    CHECK(reading.first_ns == 152);
    CHECK(reading.own_ns == 777);
    CHECK(reading.error_ns == 52);
}

TEST_CASE("times of another machine are brought to rank 0's clock, drift included") {
    const core::RunResult result = aligned(1000);
    CHECK_FALSE(result.times_left_out);
    CHECK_FALSE(result.workers[0].clock);
    REQUIRE(result.workers[1].clock);
    CHECK(result.workers[1].clock->offset_seconds == Approx(500.0));
    CHECK(result.workers[1].clock->drift_ppm == Approx(50.0).epsilon(1e-3));
    CHECK(result.workers[1].clock->error_seconds == Approx(1e-6));
    const core::Lateness& late = result.workers[1].epochs[0].late_at_exchange;
    CHECK(late.steps == 2);
    CHECK(late.seconds == Approx(0.002).epsilon(1e-4));
    CHECK(std::abs(result.workers[1].trace.events[0].begin_ns - 11 * kSecond) < 10);
    CHECK(result.workers[0].trace.events[0].begin_ns == 11 * kSecond);
}

TEST_CASE("times are left out where the clocks are not known to a hundredth of a step") {
    CHECK_FALSE(aligned(5'000'000).times_left_out);  // 2 x 5 ms of a second
    const core::RunResult result = aligned(5'001'000);
    CHECK(result.times_left_out);
    CHECK(result.workers[1].epochs[0].late_at_exchange.steps == 0);
    CHECK(result.workers[0].trace.events.empty());
    CHECK(result.workers[1].clock);  // says why
}
