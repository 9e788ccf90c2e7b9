// Who holds the others up: named with the phase when it matters, and not otherwise.
#include "experiments/analysis/straggler.hpp"

#include "core/base/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using core::Phase;
using core::StepPart;
using experiments::analysis::find_straggler;

namespace {

using Runs = std::vector<experiments::Run>;

/// A run of procs with 30 steps in which rank 1 comes `microseconds` late by its forward pass;
/// where that is below 0 rank 0 does.
experiments::Run late_by(std::int64_t microseconds, std::size_t repetition = 1) {
    experiments::Run run = tests::made_run("procs", 2, repetition, 0.05);
    run.result.steps_per_epoch = 30;
    tests::add_steps(run, false);
    for (std::size_t step = 0; step < 30; ++step) {
        tests::delay(run, microseconds < 0 ? 0 : 1, step, StepPart::kForward,
                     StepPart::kLateAtExchange, static_cast<std::uint32_t>(std::abs(microseconds)));
    }
    return run;
}

Runs late_by_each(const std::vector<std::int64_t>& microseconds) {
    Runs runs;
    for (const std::int64_t each : microseconds) runs.push_back(late_by(each, runs.size() + 1));
    return runs;
}

}  // namespace

TEST_CASE("a straggler is named with its phase, in both models") {
    for (const char* const mode : {"threads", "procs"}) {
        for (const auto& [part, phase] : {std::pair{StepPart::kLoad, Phase::kLoad},
                                          {StepPart::kForward, Phase::kForward},
                                          {StepPart::kBackward, Phase::kBackward},
                                          {StepPart::kUpdate, Phase::kUpdate}}) {
            // Threads meet after the update as well; procs come late to the next exchange.
            const bool at_publish = phase == Phase::kUpdate && std::string(mode) == "threads";
            for (const std::size_t workers : {2U, 4U}) {
                INFO(mode << ", " << core::name_of(phase) << ", N = " << workers);
                const Runs runs{tests::made_straggler(mode, workers, 1, part, 98, at_publish)};
                const auto found = find_straggler(runs);
                CHECK(found.not_judged.empty());
                REQUIRE(found.named);
                CHECK(found.named->rank == 1);
                CHECK(found.named->phase == phase);
                CHECK(found.named->steps_share == Approx(0.98));
                CHECK(found.named->lost_seconds_per_step == Approx(0.005));
                CHECK_THAT(describe(*found.named, mode, workers),
                           Catch::Contains("rank 1") && Catch::Contains("98 %") &&
                               Catch::Contains(std::string(core::name_of(phase)) + ","));
            }
        }
    }
}

TEST_CASE("nobody is named where the last rank changes, or costs little, or is alone") {
    CHECK_FALSE(find_straggler(Runs{late_by(0)}).named);
    CHECK(find_straggler(Runs{tests::made_run("serial", 2, 1, 0.05)}).not_judged.empty());
    CHECK(find_straggler(Runs{tests::made_run("threads", 1, 1, 0.05)}).not_judged.empty());
    // Each last in half of the steps, by far.
    CHECK_FALSE(
        find_straggler(Runs{tests::made_straggler("procs", 2, 1, StepPart::kForward, 50, false)})
            .named);
    CHECK_FALSE(find_straggler(Runs{late_by(1'400)}).named);  // of 50 ms
    CHECK(find_straggler(Runs{late_by(1'700)}).named);
}

TEST_CASE("a stall is neither a straggler nor its phase") {
    experiments::Run stalled = late_by(0);
    tests::delay(stalled, 1, 17, StepPart::kUpdate, StepPart::kLateAtExchange, 105'000);
    CHECK_FALSE(find_straggler(Runs{stalled}).named);

    experiments::Run delayed = late_by(0);
    for (std::size_t step = 0; step < 30; ++step) {
        tests::delay(delayed, 0, step, StepPart::kLoad, StepPart::kLateAtExchange, 3'000);
    }
    tests::delay(delayed, 0, 17, StepPart::kUpdate, StepPart::kLateAtExchange, 105'000);
    const auto found = find_straggler(Runs{delayed});
    REQUIRE(found.named);
    CHECK(found.named->rank == 0);
    CHECK(found.named->phase == Phase::kLoad);
    CHECK(found.named->excess_seconds_per_step == Approx(0.003));
}

TEST_CASE("a meeting is not owed what the one before has met") {
    for (const bool meets_at_publish : {true, false}) {
        experiments::Run run = late_by(0);
        for (core::WorkerReport& worker : run.result.workers) worker.steps.clear();
        tests::add_steps(run, meets_at_publish);
        for (std::size_t step = 0; step < 30; ++step) {
            tests::delay(run, 1, step, StepPart::kLoad, StepPart::kLateAtExchange, 5'000);
            // It also updates more, which nobody has waited for.
            run.result.workers[1].steps[0][StepPart::kUpdate][step] += 6'000;
        }
        const auto found = find_straggler(Runs{run});
        REQUIRE(found.named);
        CHECK(found.named->phase == (meets_at_publish ? Phase::kLoad : Phase::kUpdate));
    }
}

TEST_CASE("a straggler that no phase explains is named without one") {
    experiments::Run run = late_by(5'000);
    for (auto& time : run.result.workers[1].steps[0][StepPart::kForward]) time -= 5'000;
    const auto found = find_straggler(Runs{run});
    REQUIRE(found.named);
    CHECK(found.named->rank == 1);
    CHECK_FALSE(found.named->phase);
}

TEST_CASE("repetitions have to agree on a straggler") {
    const auto named = find_straggler(late_by_each({5'000, 4'000, 6'000, 5'500, 4'500})).named;
    REQUIRE(named);
    CHECK(named->rank == 1);
    CHECK(named->samples == 5);
    CHECK(named->lost_seconds_per_step == Approx(0.005));
    CHECK_FALSE(find_straggler(late_by_each({5'000, 4'000, -3'000, 5'500, -1'000})).named);
    // Two are too few to agree: their stretches are what is tested.
    CHECK(find_straggler(late_by_each({5'000, 5'500})).named->samples == 12);
}

TEST_CASE("chance names a straggler in at most one of twenty sweeps") {
    const core::RandomStream random(7, core::RandomUse::kSynthetic, {1});
    std::uint64_t draws = 0;
    std::size_t named = 0;
    constexpr std::size_t kSweeps = 400;
    for (std::size_t sweep = 0; sweep < kSweeps; ++sweep) {
        std::vector<std::int64_t> late;
        for (int repetition = 0; repetition < 5; ++repetition) {
            const double sum =
                random.uniform(draws) + random.uniform(draws + 1) + random.uniform(draws + 2);
            draws += 3;
            late.push_back(static_cast<std::int64_t>(8e3 * (sum - 1.5)));  // deviation 4 ms of 50
        }
        if (find_straggler(late_by_each(late)).named) ++named;
    }
    CHECK(named <= kSweeps * 7 / 100);  // one of twenty, and two points for the draw of 400
    CHECK(named > 0);                   // or the rule would name nobody at all
}

TEST_CASE("where ranks cannot be compared nobody is judged, and it says why") {
    using Catch::Contains;
    experiments::Run run = late_by(5'000);
    run.settings.oversubscribed = true;
    CHECK_THAT(find_straggler(Runs{run}).not_judged, Contains("more workers than CPUs"));
    run = tests::made_run("threads", 2, 1, 0.05);
    CHECK_THAT(find_straggler(Runs{run}).not_judged, Contains("not kept"));
    run = late_by(5'000);
    for (core::WorkerReport& worker : run.result.workers) {
        for (auto& column : worker.steps[0].columns)
            column.resize(std::min<std::size_t>(column.size(), 12));
    }
    CHECK_THAT(find_straggler(Runs{run}).not_judged, Contains("too few steps"));
    CHECK_FALSE(find_straggler(Runs{run}).named);
    run = late_by(5'000);
    run.result.cold_steps = 20;
    CHECK_THAT(find_straggler(Runs{run}).not_judged, Contains("too few steps"));
}
