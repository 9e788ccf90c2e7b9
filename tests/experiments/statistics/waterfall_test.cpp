// From ideal to measured time: the parts add up, and the sentence names the right one.
#include <array>
#include <limits>
#include <numeric>

#include "core/base/check.hpp"
#include "experiments/statistics/waterfall.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

TimeParts one_worker() {
    TimeParts parts;
    parts.load = 0.1;
    parts.forward = 2.8;
    parts.backward = 4.8;
    parts.update = 0.2;
    parts.other = 0.02;
    parts.start_up = 0.08;
    return parts;
}

/// Ideal is 4.00; each part adds a different amount, 0.78 in all.
TimeParts two_workers() {
    TimeParts parts;
    parts.load = 0.06;              // + 0.01
    parts.forward = 1.6;            // + 0.20
    parts.backward = 2.7;           // + 0.30
    parts.transfer_exposed = 0.07;  // + 0.07
    parts.transfer_hidden = 0.04;   // + 0.04
    parts.wait = 0.05;              // + 0.05
    parts.publish = 0.03;           // + 0.03
    parts.update = 0.12;            // + 0.02
    parts.other = 0.03;             // + 0.02
    parts.start_up = 0.08;          // + 0.04
    return parts;
}

double seconds_of(const Waterfall& waterfall, Cause cause) {
    for (const WaterfallPart& part : waterfall.parts) {
        if (part.cause == cause) return part.seconds;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

/// As if every one of `pairs` pairs of runs had shown what the waterfall says, but for `noise` in
/// every other one.
Waterfall repeated(Waterfall result, std::size_t pairs, double noise = 0.0) {
    for (std::size_t i = 0; i < pairs; ++i) {
        CauseSeconds& seconds = result.pairs.emplace_back();
        for (std::size_t part = 0; part < seconds.size(); ++part) {
            seconds.at(part) = result.parts.at(part).seconds + (i % 2 == 0 ? noise : -noise);
            if (part != 0) seconds.at(part) -= i % 2 == 0 ? 2.0 * noise : -2.0 * noise;
        }
    }
    result.cpu_time_known = true;
    return result;
}

}  // namespace

TEST_CASE("a time is the sum of its ten parts", "[statistics]") {
    const TimeParts parts{1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0};
    CHECK(parts.total() == 1023.0);
}

TEST_CASE("the waterfall's parts are the hand-computed ones", "[statistics]") {
    const Waterfall result = waterfall(one_worker(), two_workers(), 2);
    CHECK(result.workers == 2);
    CHECK(result.ideal_seconds == Approx(4.0));
    CHECK(result.measured_seconds == Approx(4.78));
    CHECK(result.lost_seconds() == Approx(0.78));
    CHECK(seconds_of(result, Cause::kComputeInflation) == Approx(0.5));
    CHECK(seconds_of(result, Cause::kExposedTransfer) == Approx(0.07));
    CHECK(seconds_of(result, Cause::kHiddenTransfer) == Approx(0.04));
    CHECK(seconds_of(result, Cause::kWait) == Approx(0.08));
    CHECK(seconds_of(result, Cause::kLoad) == Approx(0.01));
    CHECK(seconds_of(result, Cause::kUpdate) == Approx(0.02));
    CHECK(seconds_of(result, Cause::kStartUp) == Approx(0.04));
    CHECK(seconds_of(result, Cause::kOther) == Approx(0.02));
}

TEST_CASE("the waterfall adds up", "[statistics]") {
    for (const std::size_t workers : {1, 2, 3, 7}) {
        const Waterfall result = waterfall(one_worker(), two_workers(), workers);
        double sum = result.ideal_seconds;
        for (const WaterfallPart& part : result.parts) sum += part.seconds;
        CHECK(sum == Approx(result.measured_seconds).epsilon(1e-14));
    }
}

TEST_CASE("the main cause is the largest part, with its share of the loss", "[statistics]") {
    Waterfall result = repeated(waterfall(one_worker(), two_workers(), 2), 3);
    const auto cause = result.main_cause();
    REQUIRE(cause.has_value());
    CHECK(cause->part.cause == Cause::kComputeInflation);
    CHECK(cause->next.cause == Cause::kWait);
    CHECK(result.share(cause->part) == Approx(0.5 / 0.78));
    CHECK(describe(result, "threads") ==
          "Of the 0.78 s an epoch that 2 threads lose against ideal, 0.50 s (64 %) are compute "
          "inflation, 0.42 s more than wait, the next: forward and backward take more CPU time for "
          "the same images when several workers compute, which share caches, memory bandwidth and "
          "the clock.");
    result.cpu_time_known = false;
    CHECK_THAT(describe(result, "threads"),
               Catch::EndsWith("the next: forward and backward take longer for the same images; "
                               "whether workers had a CPU all that time was not measured."));

    TimeParts late = two_workers();
    late.wait = 3.05;
    CHECK(waterfall(one_worker(), late, 2).main_cause()->part.cause == Cause::kWait);
}

TEST_CASE("time without a CPU is preemption, with the waiting for it, and neither of the others",
          "[statistics]") {
    TimeParts parts = two_workers();
    parts.off_cpu = 0.30;           // of forward and backward
    parts.wait_for_off_cpu = 0.04;  // of the 0.08
    const Waterfall result = repeated(waterfall(one_worker(), parts, 2), 3);
    CHECK(result.lost_seconds() == Approx(0.78));
    CHECK(seconds_of(result, Cause::kPreemption) == Approx(0.34));
    CHECK(seconds_of(result, Cause::kComputeInflation) == Approx(0.20));
    CHECK(seconds_of(result, Cause::kWait) == Approx(0.04));
    CHECK_THAT(describe(result, "procs"),
               Catch::Contains("0.34 s (44 %) are preemption, 0.14 s more than compute inflation"));
}

TEST_CASE("a cause is named where repetitions show that it leads, and only there", "[statistics]") {
    const Waterfall once = waterfall(one_worker(), two_workers(), 2);
    CHECK(repeated(once, 6, 0.05).main_cause()->shown);
    // Its own spread leaves 0 out, the spread of its lead does not.
    CHECK_FALSE(repeated(once, 6, 0.2).main_cause()->shown);
    CHECK_FALSE(repeated(once, 2).main_cause()->shown);  // too few to tell chance
    CHECK(describe(repeated(once, 2), "threads") ==
          "2 threads lose 0.78 s an epoch against ideal; 2 pairs of runs do not show its main "
          "cause: compute inflation adds 0.50 s, wait 80 ms.");
}

TEST_CASE("a superlinear run loses nothing, and the sentence says so", "[statistics]") {
    TimeParts fast = two_workers();
    fast.backward = 1.8;  // 0.90 less
    const Waterfall result = waterfall(one_worker(), fast, 2);
    CHECK(result.lost_seconds() == Approx(-0.12));
    CHECK_FALSE(result.main_cause().has_value());
    CHECK_THROWS_AS(result.share(result.parts[0]), CheckFailure);
    CHECK(describe(result, "procs") ==
          "2 procs lose nothing: an epoch takes 3.88 s, 0.12 s less than ideal (superlinear).");
}

TEST_CASE("one worker against itself loses nothing", "[statistics]") {
    const Waterfall result = waterfall(one_worker(), one_worker(), 1);
    CHECK(result.lost_seconds() == 0.0);
    CHECK_FALSE(result.main_cause().has_value());
    CHECK(describe(result, "threads") ==
          "1 threads lose nothing: an epoch takes 8.00 s, the ideal time.");
}

TEST_CASE("a cause that costs more than is lost does not exceed 100 % in words", "[statistics]") {
    TimeParts parts = two_workers();
    parts.wait = 0.85;      // + 0.85, with publish 0.88
    parts.backward = 1.62;  // - 0.78, with forward -0.58
    const Waterfall result = repeated(waterfall(one_worker(), parts, 2), 3);
    CHECK(result.lost_seconds() == Approx(0.5));
    CHECK(result.share(result.main_cause()->part) == Approx(0.88 / 0.5));
    CHECK(describe(result, "threads") ==
          "2 threads lose 0.50 s an epoch against ideal: wait costs 0.88 s, other parts save "
          "0.38 s: workers wait for the slowest one of each step.");
}

TEST_CASE("small and large losses are told in readable units", "[statistics]") {
    TimeParts one;
    one.forward = 0.02;
    TimeParts two;
    two.forward = 0.01;
    two.wait = 0.0012;
    CHECK(describe(repeated(waterfall(one, two, 2), 3), "threads").substr(0, 61) ==
          "Of the 1.2 ms an epoch that 2 threads lose against ideal, 1.2");
    two.wait = 0.025;
    CHECK(describe(repeated(waterfall(one, two, 2), 3), "threads").substr(0, 13) ==
          "Of the 25 ms ");
    two.wait = 12.34;
    CHECK(describe(repeated(waterfall(one, two, 2), 3), "threads").substr(0, 14) ==
          "Of the 12.3 s ");
    two.wait = 1234.0;
    CHECK(describe(repeated(waterfall(one, two, 2), 3), "threads").substr(0, 14) ==
          "Of the 1234 s ");
}

TEST_CASE("times that are no numbers, or none, make no waterfall", "[statistics]") {
    TimeParts broken = two_workers();
    broken.wait = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(waterfall(one_worker(), broken, 2), CheckFailure);
    CHECK_THROWS_AS(waterfall(broken, two_workers(), 2), CheckFailure);
    broken.wait = std::numeric_limits<double>::infinity();
    CHECK_THROWS_AS(waterfall(one_worker(), broken, 2), CheckFailure);
    CHECK_THROWS_AS(waterfall(TimeParts{}, two_workers(), 2), CheckFailure);
    CHECK_THROWS_AS(waterfall(one_worker(), two_workers(), 0), CheckFailure);
}
