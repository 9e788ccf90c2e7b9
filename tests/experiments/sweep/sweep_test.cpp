// Sweeps as a user runs them: what they print, keep, and go on with.
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "experiments/analysis/analysis.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/results/run_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"

using namespace dp;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json read_json(const fs::path& file) {
    std::ifstream in(file);
    return Json::parse(in);
}

const std::vector<std::string> kSmall{"--epochs", "1", "--steps", "2", "--batch-size", "8"};

std::vector<std::string> sweep(const fs::path& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--out", out.string()};
    arguments.insert(arguments.end(), kSmall.begin(), kSmall.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

std::size_t run_files(const fs::path& folder) {
    return static_cast<std::size_t>(std::ranges::count_if(
        fs::directory_iterator(folder),
        [](const auto& entry) { return entry.path().filename().string().starts_with("run-"); }));
}

}  // namespace

TEST_CASE("a sweep runs each configuration as often as asked, shuffled, and keeps every run") {
    const tests::TemporaryFolder folder;
    const auto result =
        tests::run_program(sweep(folder.path(), {"--mode", "serial,threads,procs", "-n", "1,2",
                                                 "--reps", "3", "--no-report"}));
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(tests::holds(result.out, "not counted"));
    CHECK(tests::holds(result.out, "run  15/15"));
    CHECK(tests::holds(result.out, "Few repetitions: "));
    CHECK(tests::holds(result.out, "Short epochs: Every epoch ended after 2 steps"));
    const std::string table = result.out.substr(result.out.find("design     N"));
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line) && !line.empty();) {
        INFO(line);
        CHECK(line.size() <= 80);
    }

    const auto results = experiments::read_results(folder.path());
    CHECK(experiments::analysis::analyse(results).configurations.size() == 5);
    REQUIRE(results.runs.size() == 15);
    std::set<std::size_t> sequences;
    for (const auto& run : results.runs) sequences.insert(run.sequence);
    CHECK(sequences.size() == 15);
    CHECK(*sequences.rbegin() == 15);

    const Json plan = read_json(folder.path() / "sweep.json");
    CHECK(plan.at("status") == "complete");
    CHECK(plan.at("planned_runs") == 15);
    for (const auto& run : results.runs) {
        CHECK(plan.at("order").at(run.sequence - 1) == run.file.filename().string());
    }
}

TEST_CASE("three repetitions measure what N serial runs at once reach, and a resumed sweep too") {
    const tests::TemporaryFolder folder;
    const fs::path out = folder.path() / "out";
    const std::vector<std::string> what{"--mode", "serial,threads,procs", "-n", "1,2", "--reps",
                                        "3",      "--no-report"};
    REQUIRE(tests::run_program(sweep(out, what)).exit_code == 0);
    const fs::path ceiling = out / "ceiling-n2-r2.json";
    if (experiments::read_run(out / "run-threads-n2-r1.json").settings.oversubscribed) {
        CHECK_FALSE(fs::exists(ceiling));
        return;
    }
    CHECK(read_json(ceiling).at("images_per_second").size() == 2);
    CHECK_FALSE(fs::exists(out / "ceiling-n1-r1.json"));
    fs::remove(ceiling);
    REQUIRE(tests::run_program({"--resume", out.string(), "--no-report"}).exit_code == 0);
    CHECK(fs::exists(ceiling));

    const fs::path without = folder.path() / "without";
    REQUIRE(tests::run_program(sweep(without, {"--mode", "serial,threads", "-n", "2", "--reps", "3",
                                               "--no-report", "--no-ceiling"}))
                .exit_code == 0);
    CHECK_FALSE(fs::exists(without / "ceiling-n2-r1.json"));
}

TEST_CASE("a resumed sweep runs what is missing or failed, and nothing else") {
    const tests::TemporaryFolder folder;
    const fs::path out = folder.path() / "out";
    REQUIRE(tests::run_program(
                sweep(out, {"--mode", "threads,procs", "-n", "2", "--reps", "2", "--no-report"}))
                .exit_code == 0);
    const fs::path kept = out / "run-threads-n2-r1.json";
    const std::string started = read_json(kept).at("started");
    Json failed = read_json(out / "run-procs-n2-r2.json");
    failed["status"] = "failed";
    failed["result"] = nullptr;
    std::ofstream(out / "run-procs-n2-r2.json") << failed;
    fs::remove(out / "run-threads-n2-r2.json");
    fs::last_write_time(kept, fs::file_time_type::clock::now() - std::chrono::hours(1));
    const auto before = fs::last_write_time(kept);

    const auto resumed = tests::run_program({"--resume", out.string(), "--no-report"});
    INFO(resumed.out << resumed.err);
    REQUIRE(resumed.exit_code == 0);
    CHECK(tests::holds(resumed.out, "2 of 4 runs are there"));
    CHECK(tests::holds(resumed.out, "run   4/4"));
    CHECK(fs::last_write_time(kept) == before);
    CHECK(read_json(kept).at("started") == started);
    CHECK(read_json(out / "run-procs-n2-r2.json").at("status") == "complete");
    CHECK(run_files(out) == 4);
    CHECK(read_json(out / "sweep.json").at("status") == "complete");

    const auto nothing = tests::run_program({"--resume", out.string(), "--no-report"});
    CHECK(nothing.exit_code == 0);
    CHECK(tests::holds(nothing.out, "4 of 4 runs are there"));
    CHECK_FALSE(tests::holds(nothing.out, "not counted"));
}

TEST_CASE("an interrupted sweep keeps its runs, says how to go on, and does") {
    const tests::TemporaryFolder folder;
    tests::Program program({"--mode", "threads,procs", "-n", "2", "--reps", "20", "--epochs", "1",
                            "--steps", "20", "--batch-size", "8", "--no-report", "--out",
                            folder.path().string()});
    while (!fs::exists(folder.path() / "sweep.json") || run_files(folder.path()) < 2) {
        REQUIRE(waitpid(program.pid(), nullptr, WNOHANG) == 0);
        usleep(20'000);
    }
    kill(program.pid(), SIGINT);
    const auto result = program.finish();
    INFO(result.out << result.err);
    CHECK(result.exit_code == 130);
    CHECK(tests::holds(result.err, "go on with: dp_compare --resume " + folder.path().string()));
    CHECK(tests::holds(result.out, "design     N"));  // the table of what is done
    CHECK(read_json(folder.path() / "sweep.json").at("status") == "interrupted");
    const auto results = experiments::read_results(folder.path());
    CHECK(results.runs.size() >= 2);
    CHECK(results.runs.size() < 40);
}

TEST_CASE("a resume without a sweep, or beside other options, is refused") {
    const tests::TemporaryFolder folder;
    const auto none = tests::run_program({"--resume", folder.path().string()});
    CHECK(none.exit_code == 2);
    CHECK(tests::holds(none.err, "sweep.json"));
    const auto beside = tests::run_program({"--resume", folder.path().string(), "--epochs", "3"});
    CHECK(beside.exit_code == 2);
    CHECK(tests::holds(beside.err, "--epochs cannot be combined with --resume"));
    std::ofstream(folder.path() / "sweep.json") << "{\"schema\": 1}";
    CHECK(tests::run_program({"--resume", folder.path().string()}).exit_code == 3);
}

TEST_CASE("with --force no file of an earlier sweep stays beside the new ones") {
    const tests::TemporaryFolder folder;
    const std::vector<std::string> first{"--mode", "threads,procs", "-n", "2", "--reps", "2"};
    REQUIRE(tests::run_program(sweep(folder.path(), first)).exit_code == 0);
    CHECK(fs::exists(folder.path() / "trace-procs-n2.json"));
    std::set<std::string> timed;
    const Json times = read_json(folder.path() / "allreduce.json");
    for (const Json& row : times.at("rows")) {
        timed.insert(row.at("reduction"));
    }
    CHECK(timed == std::set<std::string>{"in-place", "message-ring"});
    const auto refused = tests::run_program(sweep(folder.path(), first));
    CHECK(refused.exit_code == 2);
    CHECK(tests::holds(refused.err, "--force"));
    REQUIRE(tests::run_program(
                sweep(folder.path(), {"--mode", "threads", "-n", "1,2", "--force", "--no-report"}))
                .exit_code == 0);
    CHECK(run_files(folder.path()) == 2);
    for (const char* name : {"trace-procs-n2.json", "allreduce.json", "report.html", "report.md",
                             "summary.json", "plots"}) {
        CHECK_FALSE(fs::exists(folder.path() / name));
    }
}

TEST_CASE("a folder that holds only a report is not empty, one of the user's plots is") {
    const tests::TemporaryFolder folder;
    const fs::path drawing = folder.path() / "plots" / "mine.png";
    fs::create_directory(drawing.parent_path());
    std::ofstream(drawing) << "a picture";
    const auto run = [&](const char* option) {
        return tests::run_program({"--epochs", "0", "--out", folder.path(), option}).exit_code;
    };
    CHECK(run("--quiet") == 0);
    fs::remove(folder.path() / "run-serial-n1-r1.json");
    CHECK(run("--force") == 0);
    CHECK(fs::exists(drawing));
    fs::remove(folder.path() / "run-serial-n1-r1.json");
    for (const char* name : {"report.html", "report.md", "summary.json"}) {
        std::ofstream(folder.path() / name) << "old";
        CHECK(run("--quiet") == 2);
        CHECK(run("--force") == 0);
        CHECK_FALSE(fs::exists(folder.path() / name));
        fs::remove(folder.path() / "run-serial-n1-r1.json");
    }
    CHECK_FALSE(fs::exists(drawing.parent_path()));  // it stood beside a summary.json
}

TEST_CASE("Ctrl-C while a sweep's report is made says that all runs are kept") {
    const tests::TemporaryFolder folder;
    const fs::path gnuplot = folder.path() / "gnuplot";
    const fs::path out = folder.path() / "out";
    std::ofstream(gnuplot) << "#!/bin/sh\n: > \"${0%/*}/drawing\"\nexec /bin/sleep 1000\n";
    fs::permissions(gnuplot, fs::perms::owner_all);
    tests::Program program({"--mode", "threads", "-n", "1,2", "--epochs", "1", "--steps", "2",
                            "--batch-size", "8", "--out", out},
                           {"PATH=" + folder.path().string()});
    while (!fs::exists(folder.path() / "drawing")) {
        REQUIRE(waitpid(program.pid(), nullptr, WNOHANG) == 0);
        usleep(20'000);
    }
    kill(program.pid(), SIGINT);
    const auto result = program.finish();
    INFO(result.err);
    CHECK(result.exit_code == 130);
    CHECK(tests::holds(result.err, "all 2 runs are kept"));
    CHECK(tests::holds(result.err, "dp_compare report " + out.string()));
    CHECK_FALSE(tests::holds(result.err, "the run is incomplete"));
    CHECK(read_json(out / "sweep.json").at("status") == "complete");
}

TEST_CASE("the terminal's speedups and closing sentences are those of the report") {
    const tests::TemporaryFolder folder;
    const auto result = tests::run_program(
        sweep(folder.path(), {"--mode", "threads,procs", "-n", "1,2", "--reps", "2"}));
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    // Without serial each design's own N = 1 is the baseline, in both.
    CHECK(tests::holds(result.out, "There is no run of serial, so T(1) is each design's own"));
    const Json summary = read_json(folder.path() / "summary.json");
    const std::string table = result.out.substr(result.out.find("design     N"));
    CHECK(tests::holds(
        table,
        fmt::format("{:.2f}", summary["configurations"][3]["speedup"]["median"].get<double>())));
    for (const std::string finding : summary["findings"]) CHECK(tests::holds(table, finding));
    for (const Json& threat : summary["threats"]) {
        CHECK(tests::holds(table, threat.at("title").get<std::string>() + ": "));
    }
}

TEST_CASE("the report names the rank and the phase that hold the others up") {
    const tests::TemporaryFolder folder;
    const fs::path out = folder.path() / "out";
    // 200 ms in each step are more than what a busy machine takes from the other rank.
    const auto result =
        tests::run_program({"--mode", "threads,procs", "-n", "2", "--epochs", "1", "--steps", "20",
                            "--batch-size", "8", "--inject", "delay:rank=1,ms=200,phase=backward",
                            "--no-report", "--out", out.string()});
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    setenv("DP_COMPARE_PLOTS", folder.path().c_str(), 1);  // no scripts: nothing to draw
    const auto report = tests::run_program({"report", out.string()});
    unsetenv("DP_COMPARE_PLOTS");
    INFO(report.out << report.err);
    REQUIRE(report.exit_code == 0);
    const Json summary = read_json(out / "summary.json");
    for (const Json& each : summary.at("configurations")) {
        if (each.at("oversubscribed")) {
            CHECK(each.at("straggler_not_judged") == "more workers than CPUs");
            continue;
        }
        CHECK(tests::holds(report.out, fmt::format("{} with N = 2: rank 1 holds the",
                                                   each.at("design").get<std::string>())));
        REQUIRE(each.at("straggler").is_object());
        CHECK(each.at("straggler").at("rank") == 1);
        CHECK(each.at("straggler").at("phase") == "backward");
    }
}
