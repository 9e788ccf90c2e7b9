// The file of a trace, read and written, and the options that ask for one.
#include "experiments/results/trace_file.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"
#include "tests/support/trace_events.hpp"

using namespace dp;
using tests::hand_over;
using tests::holds;
using tests::rank_with;
using tests::run_program;
using tests::sum;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json document_of(const fs::path& file) { return Json::parse(std::ifstream(file)); }

std::string failure_to_read(const fs::path& file) {
    try {
        experiments::read_trace(file);
    } catch (const core::Error& error) {
        CHECK(error.code() == core::ExitCode::kData);
        return error.what();
    }
    return "no failure";
}

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

std::vector<std::string> small_run(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--epochs", "1", "--steps", "3", "--batch-size", "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

}  // namespace

TEST_CASE("a trace file holds microseconds from its first event and is read back in seconds") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    core::RunConfig config;
    config.mode = "threads";
    config.workers = 2;
    config.trace = core::StepRange{1, 1};
    std::vector<core::WorkerTrace> ranks{
        rank_with({hand_over(0, 1, 1'000'002'500), sum(0, 2'000'000'000)}),
        rank_with({hand_over(0, 1, 1'000'000'000)})};
    ranks[1].dropped = 7;
    CHECK(experiments::write_trace(file, config, ranks).dropped == 7);
    for (const Json& event : document_of(file).at("traceEvents")) {
        if (event.at("ph") == "X" && event.at("tid") == 2 && event.at("cat") == "hand-over") {
            CHECK(event.at("ts") == 2.5);
            CHECK(event.at("dur") == 0.001);
        }
    }
    const auto contents = experiments::read_trace(file);
    CHECK(document_of(file).at("otherData").at("dropped_events") == 7);
    REQUIRE(contents.slices.size() == 3);
    const experiments::TraceSlice& first = contents.slices[0];
    CHECK(first.rank == 1);
    CHECK(first.row == experiments::TraceRow::kExchange);
    CHECK(first.name == "hand over bucket 0");
    CHECK(first.category == "hand-over");
    CHECK(first.begin_seconds == 0.0);
    CHECK(first.end_seconds == 1e-9);
    CHECK(first.step == 1);
    CHECK(contents.slices[2].name == "name bucket 0");
    CHECK(contents.slices[2].category == "exposed");
    CHECK(contents.slices[2].begin_seconds == 1.0);
}

TEST_CASE("what is no trace is refused with the file and the reason") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    CHECK(holds(failure_to_read(file), file.string()));
    CHECK(holds(failure_to_read(file), "No such file"));

    const std::string events = R"({"traceEvents": [)";
    const std::string other = R"(], "otherData": {"schema": "dp_compare.trace/1", "run": "x", )"
                              R"("workers": 2, "dropped_events": 0}})";
    const std::string slice =
        R"({"name": "a", "cat": "b", "ph": "X", "pid": 1, "args": {"step": 1}, )";
    const std::vector<std::pair<std::string, std::string>> broken{
        {"[1, 2", "parse error"},
        {"{}", "otherData"},
        {R"({"traceEvents": [], "otherData": {"schema": "other/1"}})", "other/1"},
        {events + slice + R"("tid": 0, "ts": 1, "dur": 1})" + other, "thread 0"},
        {events + slice + R"("tid": 1000000000, "ts": 1, "dur": 1})" + other, "is no row"},
        {events + slice + R"("tid": 1, "ts": 1, "dur": -1})" + other, "dur is -1"},
        {events + slice + R"("tid": 1, "ts": "x", "dur": 1})" + other, "number"},
        {events + slice + R"("tid": 1, "ts": 1})" + other, "dur"}};
    for (const auto& [text, reason] : broken) {
        write_text(file, text);
        INFO(text << "\n" << failure_to_read(file));
        CHECK(holds(failure_to_read(file), file.string()));
        CHECK(holds(failure_to_read(file), reason));
    }
    write_text(file, events + slice + R"("tid": 1, "ts": 1, "dur": 1})" + other);
    CHECK(experiments::read_trace(file).slices.size() == 1);
}

TEST_CASE("the trace option writes over its file, tells what is in it, keeps out of the run's") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    const fs::path out = folder.path() / "out";
    write_text(file, "old");
    const auto result =
        run_program(small_run({"--mode", "threads", "-n", "2", "--trace", file.string(), "--out",
                               out.string(), "--trace-steps", "2-9"}));
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "trace     " + file.string() + ": steps 2-3 of epoch 1, "));
    CHECK(holds(result.out, "open it in ui.perfetto.dev"));
    std::set<std::size_t> steps;
    for (const auto& slice : experiments::read_trace(file).slices) steps.insert(slice.step);
    CHECK(steps == std::set<std::size_t>{2, 3});
    const Json run = document_of(out / "run-threads-n2-r1.json");
    CHECK(run.at("config").at("trace_steps") == "2-3");
    for (const Json& worker : run.at("result").at("workers")) CHECK_FALSE(worker.contains("trace"));
}

TEST_CASE("trace options that make no sense are refused before anything runs") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.path() / "trace.json";
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
        {{"--trace", file, "--mode", "threads,procs"},
         "choose one mode, one -n and one repetition"},
        {{"--trace", file, "--mode", "threads", "-n", "1,2"},
         "choose one mode, one -n and one repetition"},
        {{"--trace", "/dev/null/none/trace.json"}, "cannot be written"},
        {{"--trace", folder.path().string()}, "cannot be written"},
        {{"--trace-steps", "1-2"}, "without --trace"},
        {{"--trace", file, "--trace-steps", "0-2"}, "'0-2' is no range"},
        {{"--trace", file, "--trace-steps", "3-2"}, "'3-2' is no range"},
        {{"--trace", file, "--trace-steps", "2-"}, "'2-' is no range"},
        {{"--trace", file, "--trace-steps", "x"}, "'x' is no range"},
        {{"--trace", file, "--trace-steps", "4"}, "the epoch has 3 steps"},
        {{"--trace", file, "--steps", "0"}, "no training step"},
        {{"--trace", file, "--epochs", "0"}, "no training step"}};
    for (const auto& [options, message] : wrong) {
        const auto result = run_program(small_run(options));
        INFO(message << "\n" << result.out << result.err);
        CHECK(result.exit_code == 2);
        CHECK(holds(result.err, message));
        CHECK_FALSE(fs::exists(file));
    }
}
