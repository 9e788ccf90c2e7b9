// A run's steps on their way through their file.
#include "experiments/results/steps_file.hpp"

#include <fstream>
#include <sstream>

#include "core/base/random.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/gzip.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using core::StepPart;

namespace {

namespace fs = std::filesystem;

/// Two ranks and two epochs of three steps; every number is one of its own.
experiments::Run run_with_steps() {
    experiments::Run run = tests::made_run("threads", 2, 3, 0.05);
    run.result.steps_per_epoch = 3;
    run.result.epochs.push_back(run.result.epochs.front());
    std::uint32_t number = 100;
    for (core::WorkerReport& worker : run.result.workers) {
        worker.epochs.push_back(worker.epochs.front());
        worker.steps.resize(2);
        for (core::EpochSteps& epoch : worker.steps) {
            for (auto& column : epoch.columns) column = {number++, number++, number++};
            epoch[StepPart::kLateAtPublish].clear();
        }
    }
    return run;
}

std::string text_of(const fs::path& file) {
    experiments::GzipReader reader(file);
    std::string text;
    while (const auto line = reader.line()) text += std::string(*line) + '\n';
    return text;
}

void write_gzip(const fs::path& file, const std::string& text) {
    experiments::GzipWriter writer;
    writer.add(text);
    experiments::write_text(file, writer.finish());
}

std::string replaced(std::string text, const std::string& before, const std::string& after) {
    const std::size_t at = text.find(before);
    REQUIRE(at != std::string::npos);
    return text.replace(at, before.size(), after);
}

}  // namespace

TEST_CASE("steps that are read back are those that were written") {
    const tests::TemporaryFolder folder;
    const experiments::Run run = run_with_steps();
    tests::write_made_run(folder.path(), run);
    const fs::path file = folder.path() / "steps-threads-n2-r3.csv.gz";
    REQUIRE(fs::exists(file));
    CHECK(experiments::is_steps_file(file.filename().string()));
    const auto copy = experiments::read_run(folder.path() / "run-threads-n2-r3.json");
    for (std::size_t rank = 0; rank < 2; ++rank) {
        const auto& steps = copy.result.workers[rank].steps;
        REQUIRE(steps.size() == 2);
        for (std::size_t epoch = 0; epoch < 2; ++epoch) {
            CHECK(steps[epoch].columns == run.result.workers[rank].steps[epoch].columns);
        }
    }
    const std::string text = text_of(file);
    CHECK(tests::holds(text, "\n1,1,0,100,103,106,109,112,115,118,121,124,127,\n"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 * 2 * 3);
}

TEST_CASE("a run without a file of steps is read without them") {
    const tests::TemporaryFolder folder;
    tests::write_made_run(folder.path(), run_with_steps());
    // The next run of that name has none: those of the one before are not its.
    tests::write_made_run(folder.path(), tests::made_run("threads", 2, 3, 0.05));
    const auto copy = experiments::read_run(folder.path() / "run-threads-n2-r3.json");
    CHECK(copy.result.workers[0].steps.empty());
}

TEST_CASE("a file of steps that is damaged is refused by name, with the reason") {
    const tests::TemporaryFolder folder;
    tests::write_made_run(folder.path(), run_with_steps());
    const fs::path run = folder.path() / "run-threads-n2-r3.json";
    const fs::path file = folder.path() / "steps-threads-n2-r3.csv.gz";
    const std::string whole = text_of(file);
    const auto error_with = [&](const std::string& text) {
        write_gzip(file, text);
        const std::string error = tests::data_error_of([&] { experiments::read_run(run); });
        CHECK(tests::holds(error, "steps-threads-n2-r3.csv.gz"));
        return error;
    };
    using Catch::Contains;
    CHECK_THAT(error_with(""), Contains("its first line"));
    CHECK_THAT(error_with(whole.substr(0, whole.find("2,3,1"))), Contains("it ends early"));
    CHECK_THAT(error_with(whole + "3,1,0,1,1,1,1,1,1,1,1,1,1,\n"), Contains("goes on"));
    CHECK_THAT(error_with(replaced(whole, "\n1,2,0,", "\n1,2,1,")), Contains("row 3 is not"));
    CHECK_THAT(error_with(replaced(whole, ",127,\n", ",127,5\n")), Contains("row 3 has other"));
    CHECK_THAT(error_with(replaced(whole, "\n1,1,0,100,", "\n1,1,0,,")), Contains("row 1 has"));
    CHECK_THAT(error_with(replaced(whole, ",127,\n", ",127,,\n")), Contains("too many cells"));
    CHECK_THAT(error_with(replaced(whole, ",127,\n", "\n")), Contains("too few cells"));
    CHECK_THAT(error_with(replaced(whole, ",127,", ",-1,")), Contains("whole numbers"));
    CHECK_THAT(error_with(replaced(whole, ",127,", ",4294967296,")), Contains("whole numbers"));
    CHECK_THAT(error_with(whole + std::string(2000, '1')), Contains("too long"));
    CHECK_THAT(error_with(whole.substr(0, whole.size() - 1)), Contains("not whole"));

    write_gzip(file, whole);
    fs::resize_file(file, fs::file_size(file) / 2);
    CHECK(tests::holds(tests::data_error_of([&] { experiments::read_run(run); }),
                       "steps-threads-n2-r3.csv.gz"));
}

TEST_CASE("a file of steps takes few bytes a step and phase") {
    const tests::TemporaryFolder folder;
    experiments::Run run = tests::made_run("procs", 2, 1, 0.05);
    run.result.steps_per_epoch = 10'000;
    const core::RandomStream random(7, core::RandomUse::kSynthetic, {1});
    std::uint64_t draws = 0;
    for (core::WorkerReport& worker : run.result.workers) {
        for (auto& column : worker.steps.emplace_back().columns) {
            for (std::size_t step = 0; step < run.result.steps_per_epoch; ++step) {
                column.push_back(static_cast<std::uint32_t>(2e4 * random.uniform(draws++)));
            }
        }
    }
    tests::write_made_run(folder.path(), run);
    const auto bytes = fs::file_size(folder.path() / "steps-procs-n2-r1.csv.gz");
    CHECK(bytes < 2 * run.result.steps_per_epoch * core::kStepParts * 3);
    CHECK(experiments::read_run(folder.path() / "run-procs-n2-r1.json")
              .result.workers[1]
              .steps[0]
              .columns == run.result.workers[1].steps[0].columns);
}

TEST_CASE("every column of a file of steps is described, in its order") {
    const tests::TemporaryFolder folder;
    tests::write_made_run(folder.path(), run_with_steps());
    std::string header = text_of(folder.path() / "steps-threads-n2-r3.csv.gz");
    header.resize(header.find('\n'));
    std::ifstream file(tests::source_dir() / "experiments/RESULTS.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    std::size_t at = page.find("## steps-*.csv.gz");
    std::istringstream columns(header);
    for (std::string column; at != std::string::npos && std::getline(columns, column, ',');) {
        INFO(column);
        at = page.find("\n| `" + column + "` |", at);
        CHECK(at != std::string::npos);
    }
    CHECK(at != std::string::npos);
}
