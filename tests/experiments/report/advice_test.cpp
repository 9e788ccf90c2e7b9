// What the report advises, of constructed runs: the best N, the plateau, a choice by goal.
#include "experiments/analysis/advice.hpp"

#include "experiments/analysis/analysis.hpp"
#include "experiments/report/markdown.hpp"
#include "experiments/report/report.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using namespace dp::experiments::analysis;
using tests::TemporaryFolder;

namespace {

std::string report_of(const Analysis& analysis) {
    return experiments::report::to_markdown(experiments::report::make_document(analysis, {}));
}

/// Steps of `workers` workers that differ by 2 %, the odd repetitions up or down.
void write_noisy(const TemporaryFolder& folder, std::size_t workers, double step_seconds, bool up) {
    for (std::size_t r = 1; r <= 6; ++r) {
        const double noise = (r % 2 == 1) == up ? 1.02 : 0.98;
        tests::write_made_run(folder.path(),
                              tests::made_run("threads", workers, r, step_seconds * noise));
    }
}

}  // namespace

TEST_CASE("the best N is the one with the most images a second, and so far there is no plateau") {
    const TemporaryFolder folder;
    tests::write_repetitions(folder, "threads", 1, 0.05);
    tests::write_repetitions(folder, "threads", 2, 0.06);
    const Analysis analysis = analyse(folder.path());
    const auto best = find_best_workers(analysis);
    REQUIRE(best.size() == 1);
    CHECK(best[0].best->workers == 2);
    CHECK(best[0].not_worse.empty());
    CHECK_THAT(report_of(analysis),
               Catch::Contains("threads, N = 2 trains the most images/s of all N measured") &&
                   Catch::Contains("so no plateau was reached"));
}

TEST_CASE("the plateau begins at the smallest N that is not shown to be slower") {
    const TemporaryFolder folder;
    write_noisy(folder, 1, 0.05, true);
    write_noisy(folder, 2, 0.055, true);
    write_noisy(folder, 4, 0.1095, false);  // 4 batches in twice the time: nothing is won
    const Analysis analysis = analyse(folder.path());
    CHECK(find_best_workers(analysis).at(0).best->workers == 4);
    CHECK_THAT(report_of(analysis),
               Catch::Contains("N = 2 is the smallest that is not shown to be slower") &&
                   Catch::Contains("the plateau begins there"));
}

TEST_CASE("too few repetitions name no plateau and no equals") {
    const TemporaryFolder folder;
    tests::write_repetitions(folder, "threads", 1, 0.05, 2);
    tests::write_repetitions(folder, "threads", 2, 0.06, 2);
    CHECK_THAT(report_of(analyse(folder.path())),
               Catch::Contains("too few pairs of runs to say where more workers stop to help") &&
                   Catch::Contains("one other with too few pairs to judge"));
}

TEST_CASE("a goal names the best and what is not shown to be worse") {
    const TemporaryFolder folder;
    tests::write_repetitions(folder, "serial", 1, 0.05);
    tests::write_repetitions(folder, "threads", 2, 0.0625);
    tests::write_repetitions(folder, "procs", 2, 0.065);
    const Analysis analysis = analyse(folder.path());
    const auto goals = find_goals(analysis);
    REQUIRE(goals.size() == 2);  // the kernel told of no memory
    CHECK(goals[0].name == "time");
    CHECK(goals[0].choice.best->design == "threads");
    CHECK(goals[0].choice.not_worse.empty());
    CHECK(goals[1].choice.value == Approx(0.8));
    CHECK_FALSE(accuracy_in_equal_time(analysis));  // of one epoch each
}

TEST_CASE("accuracy in equal time counts the epochs that had ended by then") {
    const TemporaryFolder folder;
    for (const std::size_t workers : {1U, 2U}) {
        auto run = tests::made_run("threads", workers, 1, 0.05);
        core::EpochResult epoch = run.result.epochs.front();
        epoch.train_seconds = workers == 1 ? 10.0 : 6.0;
        epoch.test_accuracy = workers == 1 ? 0.7 : 0.5;
        run.result.epochs = {epoch, epoch};
        run.result.epochs[1].test_accuracy += 0.1;
        for (core::WorkerReport& worker : run.result.workers) {
            worker.epochs.push_back(worker.epochs.front());
        }
        tests::write_made_run(folder.path(), run);
    }
    const auto equal = accuracy_in_equal_time(analyse(folder.path()));
    REQUIRE(equal);
    CHECK(equal->seconds == Approx(12.0));
    REQUIRE(equal->reached.size() == 2);
    CHECK(equal->reached[0].test_accuracy == 0.7);  // of one worker, after its first epoch
    CHECK(equal->reached[0].epochs == 1);
    CHECK(equal->reached[1].epochs == 2);
}

TEST_CASE("one worker stands beside several, with the impact in words, and epochs with spread") {
    const TemporaryFolder folder;
    for (const std::size_t workers : {1U, 2U}) {
        auto run = tests::made_run("threads", workers, 1, workers == 1 ? 0.05 : 0.055);
        run.result.epochs.push_back(run.result.epochs.front());
        run.result.epochs.back().train_seconds *= 1.1;
        for (core::WorkerReport& worker : run.result.workers) {
            worker.epochs.push_back(worker.epochs.front());
        }
        tests::write_made_run(folder.path(), run);
    }
    CHECK_THAT(report_of(analyse(folder.path())),
               Catch::Contains("10.0 % longer, for 2 times the images") &&
                   Catch::Contains("| threads | 2 | 2 | 5.78 s | 389 ms | 5.50 s | 6.05 s |"));
}
