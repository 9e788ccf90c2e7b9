// Two folders compared: what is found in folders made for it, and what is not.
#include "experiments/diff/comparison.hpp"

#include <cmath>
#include <random>

#include "experiments/diff/table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/diff_runs.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using namespace dp::experiments;
using namespace dp::experiments::diff;
using tests::add_runs;
using tests::add_sweeps;
using tests::compare;
using tests::error_of;
using tests::find_difference;
using tests::holds;
using tests::kNoise;

TEST_CASE("a regression of 10 % is shown, and a repeat of the same speed is not") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 5);
    add_runs(after, "threads", 2, 50.0 / 0.9, 5, 5);
    add_runs(before, "procs", 2, 50.0, 5);
    add_runs(after, "procs", 2, 50.0, 5, 5);
    const auto result = compare(read_results(before.path()), read_results(after.path()), 0.05);
    REQUIRE(result.comparisons.size() == 2);
    const Comparison& threads = result.comparisons[0];
    CHECK(threads.design == "threads");
    CHECK(threads.workers == 2);
    CHECK(threads.verdict == Verdict::kSlower);
    CHECK(threads.ratio == Approx(0.9).epsilon(0.02));
    REQUIRE(threads.test.ratio95);
    CHECK(threads.test.ratio95->contains(0.9));
    CHECK(threads.test.p_value == Approx(2.0 / 252));
    CHECK(threads.adjusted_p.value() == Approx(4.0 / 252));
    CHECK(threads.before.n == 5);
    CHECK(threads.after.n == 5);
    CHECK(result.comparisons[1].verdict == Verdict::kNotShown);
    CHECK(result.comparable());
    CHECK(result.setup.empty());

    // What is gained is as plain as what is lost.
    const auto back = compare(read_results(after.path()), read_results(before.path()), 0.05);
    CHECK(back.comparisons[0].verdict == Verdict::kFaster);
    REQUIRE(find_regressions(result).size() == 1);
    CHECK(find_regressions(result)[0].design == "threads");
    CHECK(find_regressions(back).empty());
    for (const double above : {0.09, 0.2}) {  // 9.8 %, which is not shown to be more than 9
        INFO(above);
        const auto allowed =
            compare(read_results(before.path()), read_results(after.path()), 0.05, above);
        CHECK(find_regressions(allowed).empty());
        CHECK(allowed.comparisons[0].verdict == Verdict::kSlower);
    }
}

TEST_CASE("the verdict is on the p-value adjusted for all configurations") {
    const tests::TemporaryFolder before, after;
    // One of seven differs as clearly as five repetitions can: 7 * 2 / 252 is above 0.05.
    for (std::size_t workers = 1; workers <= 7; ++workers) {
        add_runs(before, "threads", workers, 50.0, 5);
        add_runs(after, "threads", workers, workers == 3 ? 60.0 : 50.0, 5, 5);
    }
    const auto result = compare(read_results(before.path()), read_results(after.path()), 0.05);
    REQUIRE(result.comparisons.size() == 7);
    CHECK(result.comparisons[2].test.p_value < 0.01);
    CHECK(result.comparisons[2].adjusted_p.value() == Approx(14.0 / 252));
    CHECK(result.comparisons[2].verdict == Verdict::kTooFew);
    CHECK(result.samples_needed().value() == 6);
    CHECK(find_regressions(result).size() == 1);  // one-sided: 7 / 252
}

TEST_CASE("oversubscribed configurations are shown, not judged, and cost the others nothing") {
    const tests::TemporaryFolder before, after;
    for (std::size_t workers = 1; workers <= 7; ++workers) {
        add_runs(before, "threads", workers, 50.0, 5);
        add_runs(after, "threads", workers, workers == 2 || workers == 7 ? 60.0 : 50.0, 5, 5);
    }
    ResultsFolder a = read_results(before.path()), b = read_results(after.path());
    for (ResultsFolder* results : {&a, &b}) {
        for (Run& run : results->runs) run.settings.oversubscribed = run.workers() > 4;
    }
    const auto result = compare(a, b, 0.05);
    REQUIRE(result.comparisons.size() == 7);
    CHECK(result.judged() == 4);
    CHECK(result.comparisons[1].adjusted_p.value() == Approx(8.0 / 252));
    CHECK(result.comparisons[1].verdict == Verdict::kSlower);
    CHECK(result.comparisons[0].verdict == Verdict::kNotShown);
    CHECK(result.comparisons[6].verdict == Verdict::kNotJudged);
    CHECK_FALSE(result.comparisons[6].adjusted_p);
    CHECK(result.comparisons[6].test.p_value < 0.01);
    CHECK(find_regressions(result).size() == 1);
}

TEST_CASE("repetitions too few to show a difference are said to be") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 3);
    add_runs(after, "threads", 2, 100.0, 3, 5);
    const auto folders = std::pair(read_results(before.path()), read_results(after.path()));
    const auto result = compare(folders.first, folders.second, 0.05);
    CHECK(result.comparisons.at(0).verdict == Verdict::kTooFew);
    CHECK(result.comparisons.at(0).test.least_p_value == Approx(0.1));
    CHECK(result.samples_needed().value() == 4);
    CHECK(holds(format_comparison(folders.first, folders.second, result), "--reps 4"));
    // At a level that three repetitions reach, they show it.
    CHECK(compare(folders.first, folders.second, 0.2).comparisons[0].verdict == Verdict::kSlower);
}

TEST_CASE("a difference is shown where its mean, which is tested, and its median agree") {
    const auto side = [](std::size_t slow) {
        std::vector<Run> runs;
        for (std::size_t r = 1; r <= 12; ++r) {
            const double faster = slow == 0 ? 1.0 : 0.995;
            runs.push_back(
                tests::made_run("threads", 2, r,
                                r <= slow ? 0.5 : 0.05 * faster * (1.0 + 1e-5 * kNoise.at(r - 1))));
        }
        return results_of("", std::move(runs));
    };
    // Five of twelve take ten times as long, and the others less than all before.
    for (const std::optional<double> between_sweeps : {std::optional<double>(), {0.01}}) {
        const auto result = compare_folders(analysis::analyse(side(0)), analysis::analyse(side(5)),
                                            {0.05, 0.05, Design::kRuns, between_sweeps});
        const Comparison& each = result.comparisons.at(0);
        INFO(between_sweeps.value_or(0.0));
        CHECK(each.adjusted_p.value() < 0.05);
        CHECK(each.adjusted_p_slower.value() < 0.05);
        CHECK(each.ratio > 1.0);
        CHECK(each.verdict == Verdict::kNotShown);
        CHECK(find_regressions(result).empty());
    }
}

TEST_CASE("two runs a side are enough where the drift of sweeps is told") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 1);
    add_runs(after, "threads", 2, 100.0, 1, 5);
    const Terms terms{0.05, 0.05, Design::kRuns, 0.01};
    const auto one = compare({before.path()}, {after.path()}, terms);
    CHECK(one.comparisons.at(0).verdict == Verdict::kTooFew);
    CHECK(one.samples_needed() == 2U);
    add_runs(before, "threads", 2, 50.0, 2);
    add_runs(after, "threads", 2, 100.0, 2, 5);
    CHECK(compare({before.path()}, {after.path()}, terms).comparisons.at(0).verdict ==
          Verdict::kSlower);
}

TEST_CASE("designs of one mode are compared with themselves, in a table as wide as their names") {
    const tests::TemporaryFolder before, after;
    const auto add = [](const tests::TemporaryFolder& folder, const char* reduction,
                        double milliseconds) {
        for (std::size_t r = 1; r <= 5; ++r) {
            auto run = tests::made_run("threads", 2, r, 1e-3 * milliseconds * kNoise.at(r - 1));
            run.settings.config.reduction = run.result.reduction = reduction;
            tests::write_made_run(folder.path(), run);
        }
    };
    for (const char* reduction : {"in-place", "in-place-tree", "tree"}) {
        add(before, reduction, 50.0);
        add(after, reduction, reduction == std::string("tree") ? 60.0 : 50.0);
    }
    const ResultsFolder a = read_results(before.path()), b = read_results(after.path());
    const auto result = compare(a, b, 0.05);
    REQUIRE(result.comparisons.size() == 3);
    CHECK(result.comparisons[0].design == "threads");
    CHECK(result.comparisons[0].verdict == Verdict::kNotShown);
    CHECK(result.comparisons[2].design == "threads/tree");
    CHECK(result.comparisons[2].verdict == Verdict::kSlower);
    const std::string text = format_comparison(a, b, result);
    CHECK(holds(text, "design                  N "));
    CHECK(holds(text, "threads                 2 "));
    CHECK(holds(text, "threads/in-place-tree   2 "));
}

TEST_CASE("the only design that each side has of a mode is compared, whatever its reduction") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 2);
    add_runs(after, "threads", 2, 50.0, 2);
    ResultsFolder b = read_results(after.path());
    for (Run& run : b.runs) run.settings.config.reduction = run.result.reduction = "tree";
    const auto result = compare(read_results(before.path()), b, 0.05);
    CHECK(result.comparisons.size() == 1);
    CHECK(find_difference(result, "reduction") != nullptr);
    CHECK(result.only_after.empty());
}

TEST_CASE("sweeps that differ are no difference of programs where each counts once") {
    const tests::TemporaryFolder before, after;
    // Two sweeps of one program, 1.9 % apart, whose runs are all alike.
    const auto one = add_sweeps(before, 50.0, 4);
    const auto other = add_sweeps(after, 50.0, 4, 4);
    const auto runs = compare({one[0]}, {other[1]}, {0.11, {}, Design::kRuns, {}});
    CHECK(runs.comparisons.at(0).verdict == Verdict::kSlower);
    const auto told = compare({one[0]}, {other[1]}, {0.11, {}, Design::kRuns, 0.02});
    CHECK(told.comparisons.at(0).verdict == Verdict::kNotShown);
    CHECK(told.comparisons[0].test.p_value > 0.3);
    CHECK(told.comparisons[0].test.ratio95->contains(1.0));
    const auto folders = compare(one, other, {0.05, {}, Design::kFolders, {}});
    CHECK(folders.comparisons.at(0).before.n == 4);
    CHECK(folders.comparisons[0].verdict == Verdict::kNotShown);
    CHECK(compare(one, add_sweeps(after, 60.0, 4, 4), {0.05, 0.05, Design::kFolders, {}})
              .comparisons.at(0)
              .regression);
}

TEST_CASE("pairs of folders are compared with each other, by name") {
    const tests::TemporaryFolder before, after;
    const auto a = add_sweeps(before, 50.0, 7);
    // As much slower in each pair, under a drift that hides it from groups.
    const auto b = add_sweeps(after, 50.5, 7);
    const auto groups = compare(a, b, {0.05, {}, Design::kFolders, {}});
    CHECK(groups.comparisons.at(0).verdict == Verdict::kNotShown);
    const auto pairs = compare(a, b, {0.05, 0.005, Design::kPairs, {}});
    CHECK(pairs.comparisons.at(0).verdict == Verdict::kSlower);
    CHECK(pairs.comparisons[0].ratio == Approx(50.0 / 50.5).epsilon(1e-4));
    CHECK(pairs.comparisons[0].test.p_value == Approx(2.0 / 128));
    CHECK(pairs.comparisons[0].regression);
    CHECK(compare({a[0], a[1]}, {b[1], b[2]}, {0.05, {}, Design::kPairs, {}})
              .comparisons.at(0)
              .before.n == 1);
    CHECK(pairs.samples_needed().value() == 6);
}

// Of all builds that are as slow as allowed at most alpha may fail, however many configurations.
TEST_CASE("a build that is 4 % slower seldom fails a limit of 5 %") {
    std::mt19937_64 engine(43);
    std::normal_distribution<double> normal(0.0, 0.02);
    const auto side = [&](double milliseconds) {
        std::vector<Run> runs;
        for (std::size_t workers = 1; workers <= 5; ++workers) {
            for (std::size_t r = 1; r <= 5; ++r) {
                runs.push_back(tests::made_run("threads", workers, r,
                                               1e-3 * milliseconds * std::exp(normal(engine))));
            }
        }
        return results_of("", std::move(runs));
    };
    int failed = 0;
    int caught = 0;
    constexpr int kBuilds = 60;
    for (int build = 0; build < kBuilds; ++build) {
        const ResultsFolder before = side(50.0);
        failed += find_regressions(compare(before, side(50.0 / 0.96), 0.05)).empty() ? 0 : 1;
        caught += find_regressions(compare(before, side(50.0 / 0.85), 0.05)).empty() ? 0 : 1;
    }
    CHECK(failed <= 4);
    CHECK(caught == kBuilds);
}

TEST_CASE("configurations of one folder are listed, and without a common one nothing is compared") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 1);
    add_runs(after, "procs", 2, 50.0, 1);
    const auto error =
        error_of([&] { compare(read_results(before.path()), read_results(after.path()), 0.05); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    CHECK(holds(error->what(), "threads N = 2"));
    CHECK(holds(error->what(), "procs N = 2"));

    add_runs(before, "serial", 1, 50.0, 1);
    add_runs(after, "serial", 1, 50.0, 1);
    const auto result = compare(read_results(before.path()), read_results(after.path()), 0.05);
    CHECK(result.comparisons.size() == 1);
    CHECK(result.only_before == std::vector<std::string>{"threads N = 2"});
    CHECK(result.only_after == std::vector<std::string>{"procs N = 2"});

    // Runs that only evaluated have no speed.
    ResultsFolder none = read_results(after.path());
    for (Run& run : none.runs) run.result.epochs.clear();
    const auto untrained = compare(read_results(before.path()), none, 0.05);
    CHECK(untrained.comparisons.empty());
    CHECK(untrained.without_training == std::vector<std::string>{"serial N = 1"});
}
