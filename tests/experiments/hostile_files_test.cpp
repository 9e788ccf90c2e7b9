// Files that claim to be ours: whatever stands in them, they are refused by name or read, and no
// check of the program's own fails.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "experiments/diff/diff.hpp"
#include "experiments/diff/table.hpp"
#include "experiments/predict/predict.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/plot_data.hpp"
#include "experiments/report/report.hpp"
#include "experiments/report/summary_file.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/text/files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using namespace dp::experiments;
using tests::data_error_of;
using tests::holds;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

/// All that reads a folder of results. What the report's page lacks is told by write_report(),
/// which this leaves out for its files and plots.
void read_all(const fs::path& folder) {
    try {
        const analysis::Analysis found = analysis::analyse(folder);
        report::make_document(found, {});
        report::plot_data(found);
        report::summary_json(found);
    } catch (const Json::exception&) {
    }
    const ResultsFolder results = read_results(folder);
    const analysis::Analysis untraced = analysis::analyse(results);
    diff::format_comparison(results, results, diff::compare_folders(untraced, untraced, {}));
    const analysis::Analysis again = analysis::analyse(folder);
    predict::format_predictions(predict::make_predictions(again, {}), again);
}

/// Why reading `folder` fails with anything but an Error; empty when it does not.
std::string bug_of(const fs::path& folder) {
    try {
        read_all(folder);
    } catch (const core::Error&) {
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

/// Every value of `document` in turn, replaced by what it cannot be.
void spoil_each(const Json& document, const std::function<void(const Json&, std::string)>& visit) {
    const nlohmann::json fields = nlohmann::json(document).flatten();
    for (const auto& [pointer, unused] : fields.items()) {
        for (const char* value : {"0", "1", "-1", "7e14", "null", "\"'<\\u001b\"", "[]", "true"}) {
            Json spoilt = document;
            spoilt[Json::json_pointer(pointer)] = Json::parse(value);
            visit(spoilt, pointer + " = " + value);
        }
    }
}

void write_runs(const tests::TemporaryFolder& folder) {
    for (const char* mode : {"threads", "procs"}) {
        for (const std::size_t workers : {1U, 2U}) {
            tests::write_repetitions(folder, mode, workers, 0.05 / static_cast<double>(workers), 2);
        }
    }
}

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

TEST_CASE("no value in a run's file makes a check of the program fail") {
    const tests::TemporaryFolder folder;
    write_runs(folder);
    REQUIRE(bug_of(folder.path()).empty());
    const fs::path file = folder.path() / "run-threads-n2-r1.json";
    std::size_t tried = 0;
    spoil_each(read_json(file), [&](const Json& document, const std::string& what) {
        write(file, document.dump());
        INFO(what);
        CHECK(bug_of(folder.path()) == "");
        ++tried;
    });
    CHECK(tried > 1000);
}

TEST_CASE("no value in allreduce.json makes a check of the program fail") {
    const tests::TemporaryFolder folder;
    write_runs(folder);
    Json rows = Json::array();
    for (const double bytes : {8.0, 4591656.0, 9183312.0, 2295828.0}) {
        rows.push_back({{"bytes", bytes},
                        {"mode", "threads"},
                        {"workers", 2},
                        {"reduction", "in-place"},
                        {"oversubscribed", false},
                        {"repetitions", 20},
                        {"time_median_us", 10.0 + bytes / 5e3},
                        {"time_min_us", 9.0 + bytes / 6e3},
                        {"time_max_us", 11.0 + bytes / 4e3},
                        {"wrong", 0}});
    }
    spoil_each({{"schema", "dp_compare.allreduce/1"}, {"rows", rows}},
               [&](const Json& document, const std::string& what) {
                   write(folder.path() / "allreduce.json", document.dump());
                   INFO(what);
                   CHECK(bug_of(folder.path()) == "");
               });
}

TEST_CASE("a number that no run has is refused by its file and field") {
    const tests::TemporaryFolder folder;
    write_runs(folder);
    const fs::path file = folder.path() / "run-threads-n2-r1.json";
    Json document = read_json(file);
    document["result"]["epochs"][0]["train_seconds"] = -1.0;
    write(file, document.dump());
    const std::string error = data_error_of([&] { read_results(folder.path()); });
    CHECK(holds(error, file.string()));
    CHECK(holds(error, "result.epochs[0].train_seconds is -1.0"));
}

TEST_CASE("files nested too deep, too large or no files are refused and end nobody") {
    const tests::TemporaryFolder folder;
    write_runs(folder);
    const fs::path file = folder.path() / "run-threads-n2-r1.json";
    write(file, R"({"schema": "dp_compare.run/1", "context": )" + nested(200'000) + "}");
    CHECK(holds(data_error_of([&] { read_results(folder.path()); }), "levels"));
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"report", folder.path()},
          {"diff", folder.path(), folder.path()},
          {"predict", folder.path()}}) {
        const auto result = tests::run_program(command);
        CHECK(result.exit_code == 3);
        CHECK(holds(result.err, file.string()));
    }
    fs::resize_file(file, (std::uintmax_t{1} << 30) + 1);  // takes no room on the disk
    CHECK(holds(data_error_of([&] { read_results(folder.path()); }), "more than"));
    fs::remove(file);
    fs::create_directory(file);
    CHECK(holds(data_error_of([&] { read_results(folder.path()); }), "no regular file"));
}

TEST_CASE("a sweep.json that is nested too deep or resumes itself is refused") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "sweep.json";
    const auto resume = [&] { return tests::run_program({"--resume", folder.path()}); };
    write(file, nested(200'000));
    CHECK(resume().exit_code == 3);
    for (const std::string& itself : {"\"--resume\", \"" + folder.path().string() + "\"",
                                      "\"--resume=" + folder.path().string() + "\""}) {
        write(file, R"({"schema": "dp_compare.sweep/1", "status": "running", "arguments": [)" +
                        itself +
                        R"(], "working_directory": "/", "started": "x", "planned_runs": 1,
                        "order": []})");
        const auto result = resume();
        CHECK(result.exit_code == 3);
        CHECK(holds(result.err, file.string()));
    }
}

TEST_CASE("no name of a folder is a command, to gnuplot or to a shell") {
    const tests::TemporaryFolder top;
    fs::current_path(top.path());
    for (const std::string name :
         {"<touch x;", "|touch x;", "`touch x`", "$(touch x)", "it's \"quoted\"", "two\nlines",
          "\033[31mred", "~", "-e", "back\\slash"}) {
        INFO(name);
        const report::PlotData plot{"speedup", "speedup",
                                    "mode,workers,oversubscribed,time_seconds,images_per_second,"
                                    "speedup,speedup_low,speedup_high,efficiency\n"
                                    "threads,1,0,2,100,1,,,1\nthreads,2,0,1,200,2,,,1\n",
                                    "caption", "alt"};
        fs::create_directory(name);
        CHECK(report::draw_plots(name, std::span(&plot, 1)).size() == 1);
        CHECK_FALSE(fs::exists("x"));
        CHECK_FALSE(fs::exists(fs::path(name) / "plots" / "x"));
    }
    fs::remove_all("<touch x;/plots");
    tests::write_made_run("<touch x;", tests::made_run("threads", 2, 1, 0.05));
    const auto result = tests::run_program({"report", "<touch x;"});
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    CHECK_FALSE(fs::exists("x"));
    // A script that is called by hand, with the name as it is.
    const fs::path script = tests::source_dir() / "experiments/plots/breakdown.gp";
    const std::string by_hand = script.string() + " '<touch x;/plots' svg breakdown";
    CHECK(std::system(("gnuplot -c " + by_hand).c_str()) == 0);
    CHECK_FALSE(fs::exists("x"));
    fs::current_path(fs::temp_directory_path());
}

TEST_CASE("what a run's file holds is text, on the page and on the terminal") {
    const tests::TemporaryFolder folder;
    write_runs(folder);
    const fs::path file = folder.path() / "run-threads-n2-r1.json";
    const std::string hostile = "\033[31m<script>alert(1)</script>\n`touch x`\"'";
    Json document = read_json(file);
    for (const char* field : {"host", "cpu_model", "kernel"}) document["context"][field] = hostile;
    document["config"]["data_source"] = hostile;
    document["context"]["warnings"] = {hostile};
    write(file, document.dump());
    fs::remove(folder.path() / "run-threads-n1-r1.json");  // the next is the first to be read
    fs::remove(folder.path() / "run-threads-n1-r2.json");
    fs::remove(folder.path() / "run-procs-n1-r1.json");
    fs::remove(folder.path() / "run-procs-n1-r2.json");
    const auto result = tests::run_program({"report", folder.path()}, {"PATH=/nonexistent"});
    CHECK(result.exit_code == 0);
    const std::string page =
        (std::stringstream() << std::ifstream(folder.path() / "report.html").rdbuf()).str();
    CHECK(holds(page, "&lt;script&gt;"));
    CHECK(holds(page, "Told before it measured: "));
    CHECK_FALSE(holds(page, "<script"));
    const auto diff = tests::run_program({"diff", folder.path(), "\033[31mred"});
    CHECK(diff.exit_code == 2);
    CHECK(holds(diff.err, "?[31mred"));
    for (const std::string& text : {result.out, result.err, diff.out, diff.err}) {
        CHECK_FALSE(holds(text, "\033"));
    }
}

TEST_CASE("a gnuplot that does not end is ended, with a warning") {
    const tests::TemporaryFolder folder;
    write(folder.path() / "gnuplot", "#!/bin/sh\nexec /bin/sleep 1000\n");
    fs::permissions(folder.path() / "gnuplot", fs::perms::owner_all);
    const std::string path = std::getenv("PATH");
    setenv("PATH", folder.path().c_str(), 1);
    const report::PlotData plot{"speedup", "speedup", "a,b\n", "", ""};
    const auto begin = std::chrono::steady_clock::now();
    CHECK(report::draw_plots(folder.path(), std::vector{plot, plot}, 200ms).empty());
    CHECK(std::chrono::steady_clock::now() - begin < 30s);
    setenv("PATH", path.c_str(), 1);
}

TEST_CASE("Ctrl-C or SIGTERM while plots are drawn ends the report") {
    const tests::TemporaryFolder folder;
    write_runs(folder);
    write(folder.path() / "gnuplot", "#!/bin/sh\n: > \"${0%/*}/drawing\"\nexec /bin/sleep 1000\n");
    fs::permissions(folder.path() / "gnuplot", fs::perms::owner_all);
    for (const int signal : {SIGINT, SIGTERM}) {
        fs::remove(folder.path() / "drawing");
        tests::Program program({"report", folder.path()}, {"PATH=" + folder.path().string()});
        while (!fs::exists(folder.path() / "drawing")) usleep(10'000);
        kill(program.pid(), signal);
        const auto result = program.finish();
        CHECK(result.exit_code == (signal == SIGINT ? 130 : 143));
        CHECK(holds(result.err, "the report is incomplete"));
        CHECK(holds(result.err, "dp_compare report " + folder.path().string()));
    }
}
