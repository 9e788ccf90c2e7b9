// What single steps took, worked out by hand.
#include "experiments/analysis/step_figures.hpp"

#include <nlohmann/json.hpp>

#include "experiments/results/cold_steps.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/text/files.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using core::StepPart;
using experiments::analysis::find_step_figures;

namespace {

/// A run of `steps` steps of 50 ms on two ranks.
experiments::Run run_of(std::size_t steps, std::size_t repetition = 1) {
    experiments::Run run = tests::made_run("procs", 2, repetition, 0.05);
    run.result.steps_per_epoch = steps;
    const auto count = static_cast<double>(steps);
    run.result.epochs.front().images = steps * 256;
    run.result.epochs.front().train_seconds = 0.05 * count;
    tests::add_steps(run, false);
    return run;
}

/// Makes a step longer on one of the ranks.
void slow_down(experiments::Run& run, std::size_t rank, std::size_t step, std::uint32_t more_us) {
    run.result.workers[rank].steps[0][StepPart::kBackward][step] += more_us;
    run.result.epochs.front().train_seconds += rank == 0 ? 1e-6 * more_us : 0.0;
}

}  // namespace

TEST_CASE("a step is as long as its slowest rank's, and quantiles are those of repetitions") {
    std::vector<experiments::Run> runs{run_of(21, 1), run_of(21, 2)};
    for (std::uint32_t step = 0; step < 21; ++step)
        slow_down(runs[0], step % 2, step, 1'000 * step);
    const auto figures = find_step_figures(runs);
    REQUIRE(figures);
    CHECK(figures->seconds.size() == 42);
    CHECK(figures->maximum_seconds() == Approx(0.070));
    CHECK(figures->p50_seconds.minimum == Approx(0.050));
    CHECK(figures->p50_seconds.maximum == Approx(0.060));
    REQUIRE(figures->p95_seconds);
    CHECK(figures->p95_seconds->maximum == Approx(0.069));
    CHECK_FALSE(figures->p99_seconds);      // of 21 steps
    CHECK_FALSE(figures->autocorrelation);  // of equal ones
    runs.pop_back();
    CHECK(find_step_figures(runs)->autocorrelation->median > 0.8);
}

TEST_CASE("quantiles are told of as many steps as reach beyond them") {
    CHECK_FALSE(find_step_figures(std::vector{run_of(19)})->p95_seconds);
    CHECK(find_step_figures(std::vector{run_of(20)})->p95_seconds);
    CHECK_FALSE(find_step_figures(std::vector{run_of(99)})->p99_seconds);
    CHECK(find_step_figures(std::vector{run_of(100)})->p99_seconds);
    CHECK_FALSE(find_step_figures(std::vector{tests::made_run("procs", 2, 1, 0.05)}));
}

TEST_CASE("cold steps are left out of rates and of the steps' figures, and are counted") {
    experiments::Run run = run_of(30);
    for (std::uint32_t step = 0; step < 3; ++step) slow_down(run, 0, step, 100'000);
    slow_down(run, 1, 0, 300'000);  // the slowest, but another rank's clock is the run's
    CHECK(run.result.images_per_second() == Approx(30 * 256 / 1.8));
    experiments::note_cold_steps(run);
    CHECK(run.result.cold_steps == 3);
    CHECK(run.result.cold_images == 3 * 256);
    CHECK(run.result.cold_seconds == Approx(0.45));
    CHECK(run.result.images_per_second() == Approx(256 / 0.05));
    CHECK(run.result.step_seconds() == Approx(0.05));
    const auto figures = find_step_figures(std::vector{run});
    CHECK(figures->seconds.size() == 27);
    CHECK(figures->cold.median == 3.0);
    CHECK(figures->maximum_seconds() == Approx(0.05));
    SECTION("also of a run that is read back") {
        const tests::TemporaryFolder folder;
        tests::write_made_run(folder.path(), run);
        const auto copy = experiments::read_run(folder.path() / "run-procs-n2-r1.json");
        CHECK(copy.result.cold_steps == 3);
        CHECK(copy.result.images_per_second() == Approx(256 / 0.05));
    }
    SECTION("a run that is cold to its end is refused") {
        const tests::TemporaryFolder folder;
        tests::write_made_run(folder.path(), run);
        const auto file = folder.path() / "run-procs-n2-r1.json";
        const auto whole = experiments::read_json(file);
        const auto error_with = [&](const char* field, const auto& value) {
            auto spoilt = whole;
            spoilt["result"][field] = value;
            experiments::write_json(file, spoilt);
            return tests::data_error_of([&] { experiments::read_run(file); });
        };
        using Catch::Contains;
        CHECK_THAT(error_with("cold_steps", 30), Contains("result.cold_steps is 30"));
        CHECK_THAT(error_with("cold_images", 7680), Contains("result.cold_images is 7680"));
        CHECK_THAT(error_with("cold_seconds", 2.5), Contains("result.cold_seconds is 2.5"));
    }
}
