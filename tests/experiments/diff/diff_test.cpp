// `dp_compare diff`: what it finds in folders made for it, and what it does not.
#include "experiments/diff/diff.hpp"

#include <array>
#include <cmath>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include "experiments/diff/ab.hpp"
#include "experiments/diff/table.hpp"
#include "experiments/options/option_values.hpp"
#include "experiments/options/settings.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using namespace dp::experiments;
using namespace dp::experiments::diff;
using tests::error_of;
using tests::holds;

namespace {

// Repetitions of one speed on a machine with noise of 1 %, drawn once.
constexpr std::array kNoise{0.992, 1.011, 1.004, 0.987, 1.001, 1.015,
                            0.995, 1.008, 0.983, 0.999, 1.006, 1.012};

/// `repetitions` of `mode` with `workers`, whose steps take `milliseconds` and noise.
void add_runs(const tests::TemporaryFolder& folder, const char* mode, std::size_t workers,
              double milliseconds, std::size_t repetitions, std::size_t first_noise = 0) {
    for (std::size_t i = 0; i < repetitions; ++i) {
        tests::write_made_run(folder.path(),
                              tests::made_run(mode, workers, i + 1,
                                              1e-3 * milliseconds * kNoise.at(first_noise + i)));
    }
}

void set_setting(Run& run, const char* field, const auto& value) {
    const experiments::Setting& row = *experiments::find_setting(field);
    row.read(row, value, run.settings);
}

/// Changes a field of every run, as if they had been made so.
void set(ResultsFolder& results, const char* section, const char* field, const auto& value) {
    for (Run& run : results.runs) {
        if (section == std::string("context")) {
            run.context[field] = value;
        } else {
            set_setting(run, field, value);
        }
    }
}

FolderComparison compare(const ResultsFolder& before, const ResultsFolder& after, double alpha,
                         double fail_above = 0.05) {
    return compare_folders(analysis::analyse(before), analysis::analyse(after),
                           {alpha, fail_above, Design::kRuns, std::nullopt});
}

/// `sweeps` folders of three runs, whose steps take so many milliseconds and the noise of the
/// sweep.
std::vector<std::filesystem::path> add_sweeps(const tests::TemporaryFolder& folder,
                                              double milliseconds, std::size_t sweeps,
                                              std::size_t first_noise = 0) {
    std::vector<std::filesystem::path> folders;
    for (std::size_t i = 0; i < sweeps; ++i) {
        folders.push_back(folder.path() / fmt::format("{:03}", i + 1));
        std::filesystem::create_directory(folders.back());
        for (std::size_t r = 1; r <= 3; ++r) {
            // Runs of one sweep are alike.
            const double noise = kNoise.at(first_noise + i) + 1e-5 * static_cast<double>(r);
            tests::write_made_run(folders.back(),
                                  tests::made_run("threads", 2, r, 1e-3 * milliseconds * noise));
        }
    }
    return folders;
}

FolderComparison compare(const std::vector<std::filesystem::path>& before,
                         const std::vector<std::filesystem::path>& after, const Terms& terms) {
    return compare_folders(analysis::analyse(read_side(before)),
                           analysis::analyse(read_side(after)), terms);
}

const SetupDifference* find_difference(const FolderComparison& comparison, const char* field) {
    const auto found = std::ranges::find(comparison.setup, field, &SetupDifference::field);
    return found == comparison.setup.end() ? nullptr : &*found;
}

}  // namespace

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

TEST_CASE("of two programs in turn each runs first in every other pair") {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
        const auto sides = first_sides(9, seed);
        REQUIRE(sides.size() == 9);
        for (std::size_t pair = 0; pair + 1 < sides.size(); pair += 2) {
            CHECK(sides[pair] + sides[pair + 1] == 1);
        }
    }
    CHECK(first_sides(40, 1) != first_sides(40, 2));
    CHECK(first_sides(40, 1) == first_sides(40, 1));
}

TEST_CASE("dp_compare ab measures both commands, keeps their results and compares pairs") {
    const tests::TemporaryFolder folder;
    const std::string out = (folder.path() / "ab").string();
    const std::string json = (folder.path() / "ab.json").string();
    const std::string command =
        tests::program_path().string() + " --mode serial -n 1 --steps 1 --epochs 1 --batch-size 8";
    const auto result = tests::run_program({"ab", "--a", command, "--b", command + " --seed 2",
                                            "--pairs", "2", "--out", out, "--json", json});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "pair   2/2"));
    CHECK(holds(result.out, "pairs"));
    for (const char* name : {"a/001", "a/002", "b/001", "b/002"}) {
        CHECK(std::filesystem::exists(std::filesystem::path(out) / name / "run-serial-n1-r1.json"));
    }
    const auto document = nlohmann::json::parse(std::ifstream(json));
    CHECK(document.at("samples") == "pairs");
    CHECK(document.at("configurations").at(0).at("repetitions_before") == 2);

    const auto again =
        tests::run_program({"ab", "--a", command, "--b", command, "--pairs", "1", "--out", out});
    CHECK(again.exit_code == 2);
    CHECK(holds(again.err, "--force"));
    const auto few = tests::run_program({"ab", "--a", command, "--b", command, "--pairs", "1",
                                         "--out", out, "--force", "--fail-above", "5%"});
    CHECK(few.exit_code == 9);
    CHECK(holds(few.err, "--pairs 6"));
    const auto wrong = tests::run_program(
        {"ab", "--a", command, "--b", command + " --mode none", "--out", out, "--force"});
    CHECK(wrong.exit_code == 1);
    CHECK(holds(wrong.err, "exited with 2"));
    const auto missing =
        tests::run_program({"ab", "--a", "/no/program", "--b", command, "--out", out, "--force"});
    CHECK(missing.exit_code == 2);
    CHECK(holds(missing.err, "/no/program"));
}

TEST_CASE("another machine and other work are a warning above the table") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 5);
    add_runs(after, "threads", 2, 50.0, 5, 5);
    add_runs(before, "procs", 2, 50.0, 5);
    add_runs(after, "procs", 2, 50.0, 5, 5);
    const ResultsFolder a = read_results(before.path());
    ResultsFolder b = read_results(after.path());
    set(b, "context", "cpu_model", "another CPU");
    set(b, "context", "onednn_isa", "avx2");
    set(b, "config", "precision", "bf16");
    set(b, "context", "kernel", "Linux 9");
    set_setting(b.runs.front(), "batch_size", 64U);
    const auto result = compare(a, b, 0.05);
    CHECK_FALSE(result.comparable());
    for (const char* field : {"cpu_model", "onednn_isa", "precision"}) {
        INFO(field);
        const SetupDifference* const difference = find_difference(result, field);
        REQUIRE(difference != nullptr);
        CHECK(difference->affects_speed);
        CHECK(difference->configurations.empty());
    }
    CHECK(find_difference(result, "cpu_model")->before == "\"a CPU\"");
    CHECK(find_difference(result, "cpu_model")->after == "\"another CPU\"");
    REQUIRE(find_difference(result, "kernel") != nullptr);
    CHECK_FALSE(find_difference(result, "kernel")->affects_speed);
    // One repetition of one configuration was made otherwise.
    REQUIRE(find_difference(result, "batch_size") != nullptr);
    CHECK(find_difference(result, "batch_size")->after == "128 or 64");
    CHECK(find_difference(result, "batch_size")->configurations ==
          std::vector<std::string>{"threads N = 2"});

    const std::string text = format_comparison(a, b, result);
    const std::size_t warning = text.find("WARNING");
    REQUIRE(warning != std::string::npos);
    CHECK(warning < text.find("cpu_model"));
    CHECK(text.find("cpu_model") < text.find("after/before"));
    CHECK(text.find("kernel") > text.find("after/before"));
}

TEST_CASE("a checksum that changed is told where settings, build and CPU are equal") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 2);
    add_runs(after, "threads", 2, 50.0, 2, 5);
    const ResultsFolder a = read_results(before.path());
    ResultsFolder b = read_results(after.path());
    CHECK(compare(a, b, 0.05).checksums.empty());
    for (Run& run : b.runs) run.result.checksum = "0000000000000abc";
    set(b, "config", "overlap", false);  // no bit depends on it
    const auto changed = compare(a, b, 0.05);
    REQUIRE(changed.checksums.size() == 1);
    CHECK(changed.checksums[0].configuration == "threads N = 2");
    CHECK(changed.checksums[0].before == "00000000000000ff");
    CHECK(changed.checksums[0].after == "0000000000000abc");
    set(b, "config", "seed", 2U);
    CHECK(compare(a, b, 0.05).checksums.empty());
    set(b, "config", "seed", a.runs[0].settings.config.seed);
    set(b, "context", "cpu_model", "another CPU");
    CHECK(compare(a, b, 0.05).checksums.empty());
}

TEST_CASE("checksums are compared where gradients were added in one order") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 3, 50.0, 1);
    add_runs(after, "threads", 3, 50.0, 1);
    ResultsFolder a = read_results(before.path());
    ResultsFolder b = read_results(after.path());
    for (Run& run : b.runs) run.result.checksum = "0000000000000abc";
    const auto changed = [&](const char* reduction_before, const char* reduction_after) {
        a.runs[0].result.reduction = reduction_before;
        b.runs[0].result.reduction = reduction_after;
        return compare(a, b, 0.05).checksums.size();
    };
    CHECK(changed("in-place", "master") == 1);
    CHECK(changed("in-place", "tree") == 0);
    CHECK(changed("atomic", "atomic") == 0);
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

TEST_CASE("a share is per cent or a number below 1") {
    CHECK(parse_share("--x", "5%") == Approx(0.05));
    CHECK(parse_share("--x", "5 %") == Approx(0.05));
    CHECK(parse_share("--x", "0.05") == Approx(0.05));
    CHECK(parse_share("--x", "0") == 0.0);
    CHECK(parse_share("--x", "99.5%") == Approx(0.995));
    for (const char* text : {"", "%", "5", "1", "-5%", "100%", "5%%", "x", "nan", "5 % ", "0,05"}) {
        INFO(text);
        const auto error = error_of([&] { parse_share("--x", text); });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kUsage);
        CHECK(holds(error->what(), fmt::format("--x '{}'", text)));
    }
}

TEST_CASE("dp_compare diff exits with 8 on a regression above the limit alone") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 5);
    add_runs(after, "threads", 2, 50.0 / 0.9, 5, 5);
    const std::string a = before.path().string(), b = after.path().string();
    const std::string json = (after.path() / "diff.json").string();

    const auto plain = tests::run_program({"diff", a, b, "--json", json});
    CHECK(plain.exit_code == 0);
    CHECK(holds(plain.out, "slower"));
    CHECK_FALSE(holds(plain.out, "WARNING"));
    const auto document = nlohmann::json::parse(std::ifstream(json));
    CHECK(document.at("schema") == "dp_compare.diff/2");
    CHECK(document.at("configurations").at(0).at("verdict") == "slower");
    CHECK(document.at("configurations").at(0).at("regression").is_null());

    const auto regression = tests::run_program({"diff", a, b, "--fail-above", "5%"});
    CHECK(regression.exit_code == 8);
    CHECK(holds(regression.out, "threads"));
    CHECK(holds(regression.err, "threads N = 2: 9.8 % slower"));
    CHECK(tests::run_program({"diff", a, b, "--fail-above", "20%"}).exit_code == 0);
    CHECK(tests::run_program({"diff", a, a, "--fail-above", "0%"}).exit_code == 0);
    const auto limit = tests::run_program({"diff", a, b, "--fail-above", "5"});
    CHECK(limit.exit_code == 2);
    CHECK(holds(limit.err, "--fail-above '5'"));
    CHECK(tests::run_program({"diff", a}).exit_code == 2);
    CHECK(tests::run_program({"diff", a + ",", b}).exit_code == 2);
    CHECK(holds(plain.out, "--between-sweeps"));
    const auto told = tests::run_program({"diff", a, b, "--between-sweeps", "10%"});
    CHECK(holds(told.out, "no difference shown"));
    const auto both = tests::run_program({"diff", a + "," + a, b, "--between-sweeps", "10%"});
    CHECK(both.exit_code == 2);
    CHECK(holds(both.err, "several folders"));
    CHECK(tests::run_program({"diff", a, (before.path() / "none").string()}).exit_code == 2);
}

TEST_CASE("dp_compare diff --fail-above exits with 9 where it could not judge") {
    const tests::TemporaryFolder one, three, slow, busy;
    add_runs(one, "threads", 2, 50.0, 1);
    add_runs(three, "threads", 2, 50.0, 3);
    add_runs(slow, "threads", 2, 100.0, 3, 5);
    for (std::size_t repetition = 1; repetition <= 5; ++repetition) {
        auto run = tests::made_run("threads", 2, repetition, 0.05);
        run.settings.oversubscribed = true;
        tests::write_made_run(busy.path(), run);
    }
    const std::string a = one.path().string(), b = three.path().string();
    const std::string c = slow.path().string(), d = busy.path().string();
    CHECK(tests::run_program({"diff", a, b}).exit_code == 0);
    for (const auto& [before, after] : {std::pair(a, b), std::pair(b, c)}) {
        const auto few = tests::run_program({"diff", before, after, "--fail-above", "5%"});
        CHECK(few.exit_code == 9);
        CHECK(holds(few.out, "too few repetitions"));
        CHECK(holds(few.err, "could not be judged"));
        CHECK(holds(few.err, "--reps 4"));
    }
    const auto none = tests::run_program({"diff", d, d, "--fail-above", "5%"});
    CHECK(none.exit_code == 9);
    CHECK(holds(none.err, "more workers than usable CPUs"));
    const std::string json = (busy.path() / "diff.json").string();
    CHECK(tests::run_program({"diff", d, d, "--json", json}).exit_code == 0);
    CHECK(nlohmann::json::parse(std::ifstream(json)).at("repetitions_needed").is_null());
}

TEST_CASE("dp_compare diff refuses a folder of another schema by the file's name") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 2);
    add_runs(after, "threads", 2, 50.0, 2);
    std::ofstream(after.path() / "run-threads-n2-r2.json")
        << R"({"schema": "dp_compare.run/9", "status": "complete"})";
    const auto mixed = tests::run_program({"diff", before.path().string(), after.path().string()});
    CHECK(mixed.exit_code == 3);
    CHECK(mixed.out.empty());
    CHECK(holds(mixed.err, "run-threads-n2-r2.json"));
    CHECK(holds(mixed.err, "dp_compare.run/9"));
}
