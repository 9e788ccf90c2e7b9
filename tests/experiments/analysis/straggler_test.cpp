// Who holds the others up: named with the phase when it matters, and not otherwise.
#include "experiments/analysis/straggler.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using core::Phase;
using experiments::analysis::find_straggler;

namespace {

std::vector<experiments::Run> alone(const experiments::Run& run) { return {run}; }

}  // namespace

TEST_CASE("a straggler is named with its phase, in both models") {
    for (const char* const mode : {"threads", "procs"}) {
        for (const Phase phase :
             {Phase::kLoad, Phase::kForward, Phase::kBackward, Phase::kUpdate}) {
            // Threads meet after the update as well; procs come late to the next exchange.
            const bool at_publish = phase == Phase::kUpdate && std::string(mode) == "threads";
            for (const std::size_t workers : {2U, 4U}) {
                INFO(mode << ", " << core::name_of(phase) << ", N = " << workers);
                const auto runs =
                    alone(tests::made_straggler(mode, workers, 1, phase, 98, at_publish));
                const auto straggler = find_straggler(runs);
                REQUIRE(straggler);
                CHECK(straggler->rank == 1);
                CHECK(straggler->phase == phase);
                CHECK(straggler->steps_share == Approx(0.98));
                CHECK(straggler->lost_seconds_per_step == Approx(0.0049));
                CHECK_THAT(describe(*straggler, mode, workers),
                           Catch::Contains("rank 1") && Catch::Contains("98 %") &&
                               Catch::Contains(std::string(core::name_of(phase)) + ","));
            }
        }
    }
}

TEST_CASE("nobody is named where the last rank changes, or costs little, or is alone") {
    CHECK_FALSE(find_straggler(alone(tests::made_run("threads", 2, 1, 0.05))));
    CHECK_FALSE(find_straggler(alone(tests::made_run("serial", 2, 1, 0.05))));
    CHECK_FALSE(find_straggler(alone(tests::made_run("threads", 1, 1, 0.05))));
    // Last in 60 of 100 steps.
    CHECK_FALSE(
        find_straggler(alone(tests::made_straggler("procs", 2, 1, Phase::kForward, 60, false))));
    // Last in nearly all steps, by 1 ms of 50.
    auto little = tests::made_straggler("procs", 2, 1, Phase::kForward, 98, false);
    little.result.workers[1].epochs[0].late_at_exchange.seconds = 0.098;
    CHECK_FALSE(find_straggler(alone(little)));
    // Two ranks that cost the same.
    auto both = tests::made_straggler("procs", 2, 1, Phase::kForward, 70, false);
    both.result.workers[0].epochs[0].late_at_exchange.seconds = 0.35;
    CHECK_FALSE(find_straggler(alone(both)));
}

TEST_CASE("a straggler that no phase explains is named without one") {
    auto record = tests::made_straggler("procs", 2, 0, Phase::kForward, 98, false);
    record.result.workers[0].epochs[0].phase_seconds[1] -= 0.5;
    const auto straggler = find_straggler(alone(record));
    REQUIRE(straggler);
    CHECK(straggler->rank == 0);
    CHECK_FALSE(straggler->phase);
}
