// The tables of a results folder.
#include "experiments/results/runs_csv.hpp"

#include <locale>

#include "tests/support/catch.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/data.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using core::Phase;

namespace {

/// Two ranks, two epochs of ten steps; every number is one of its own.
experiments::Run two_ranks() {
    experiments::Run record = tests::made_run("procs", 2, 3, 0.01);
    record.settings.config.epochs = 2;
    record.startup.before_runs_seconds = 0.5;
    core::RunResult& result = record.result;
    result.steps_per_epoch = 10;
    result.epochs = {{2560, 1.5, 0.5, 1.25, 0.625, 4.0, 0.5},
                     {2560, 1.0, 0.75, 0.5, 0.875, 6.0, 1}};
    result.supervisor_memory = {1, 2, 3};
    for (core::WorkerReport& worker : result.workers) {
        const auto rank = static_cast<double>(worker.rank);
        worker.setup_seconds = 0.25 + rank;
        worker.memory = {100, 200, 300, 400};
        worker.process_memory = {10, 20, 30};
        core::WorkerEpoch epoch;
        epoch.images = 1280;
        // load, forward, backward, exchange, update, publish, evaluate, other
        epoch.phase_seconds = {0.125, 1.0 + rank, 2.0, 0.75, 0.25, 0.5, 0.375, 0.0};
        epoch.wall_seconds = 5.0 + rank;
        epoch.exchange = {0.5 + rank / 8, 0.25, 1000, 10};
        epoch.usage = {4.0, 3, 5, 1};
        epoch.late_at_exchange = {7, 0.0625};
        epoch.phase_cpu_seconds = {0.125, 1.0, 1.5 + rank, 0.5, 0.25, 0.0, 0.375, 0.0};
        worker.epochs = {epoch, epoch};
    }
    return record;
}

class WrittenTables {
public:
    explicit WrittenTables(const std::vector<experiments::Run>& records) {
        for (const auto& record : records) tests::write_made_run(folder_.path(), record);
        experiments::write_runs_csv(folder_.path(), experiments::read_results(folder_.path()));
        runs = tests::csv_rows(folder_.path() / experiments::kRunsCsv);
        epochs = tests::csv_rows(folder_.path() / experiments::kEpochsCsv);
    }
    std::vector<tests::CsvRow> runs, epochs;

private:
    tests::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("a row of runs.csv holds the run's figures, worked out by hand") {
    const WrittenTables tables({two_ranks()});
    REQUIRE(tables.runs.size() == 1);
    const std::map<std::string, std::string> wanted{
        {"mode", "procs"},
        {"workers", "2"},
        {"repetition", "3"},
        {"batch_size", "128"},
        {"effective_batch", "256"},
        {"overlap", "true"},
        {"oversubscribed", "false"},
        {"inject", ""},
        {"update", "replicated"},
        {"started", "2026-01-31T23:59:59Z"},
        {"steps_per_epoch", "10"},
        {"train_seconds", "10"},
        {"images_per_second", "512"},
        {"wall_seconds", "11"},
        {"load_seconds", "0.25"},
        {"forward_seconds", "3"},  // (2 * 1 + 2 * 2) / 2
        {"backward_seconds", "4"},
        {"exchange_wait_seconds", "1.125"},
        {"exchange_transfer_seconds", "0.375"},  // 1.5 - 1.125
        {"exchange_hidden_seconds", "0.5"},
        {"publish_seconds", "1"},
        {"step_seconds", "0.5"},
        {"exchange_calls_per_epoch", "10"},
        {"sent_bytes_per_epoch", "2000"},
        {"first_step_seconds", "1.75"},
        {"cpu_seconds", "16"},
        {"backward_cpu_seconds", "4"},  // (2 * 1.5 + 2 * 2.5) / 2
        {"publish_cpu_seconds", "0"},
        {"voluntary_switches", "12"},
        {"involuntary_switches", "20"},
        {"migrations", "4"},
        {"pss_bytes", "21"},
        {"private_bytes", "42"},
        {"shared_bytes", "63"},
        {"parameters_bytes", "200"},
        {"activations_bytes", "800"},
        {"test_accuracy", "0.625"},
        {"checksum", "00000000000000ff"},
        {"status", "complete"},
        {"reason", ""}};
    for (const auto& [name, value] : wanted) {
        INFO(name);
        CHECK(tables.runs[0].at(name) == value);
    }
    // (3 + 4 - 0.5) / (1.5 + 1 + 0.5)
    CHECK(std::stod(tables.runs[0].at("compute_to_communication")) == Approx(6.5 / 3.0));
}

TEST_CASE("epochs.csv has a row for each epoch and rank") {
    const WrittenTables tables({two_ranks()});
    REQUIRE(tables.epochs.size() == 4);
    const tests::CsvRow& row = tables.epochs[3];  // epoch 2, rank 1
    const std::map<std::string, std::string> wanted{{"mode", "procs"},
                                                    {"epoch", "2"},
                                                    {"rank", "1"},
                                                    {"train_loss", "1"},
                                                    {"test_accuracy", "0.875"},
                                                    {"elapsed_seconds", "12"},
                                                    {"trained_seconds", "10"},
                                                    {"images", "1280"},
                                                    {"wall_seconds", "6"},
                                                    {"forward_seconds", "2"},
                                                    {"exchange_wait_seconds", "0.625"},
                                                    {"exchange_transfer_seconds", "0.125"},
                                                    {"late_at_exchange_steps", "7"},
                                                    {"late_at_exchange_seconds", "0.0625"},
                                                    {"late_at_publish_steps", "0"},
                                                    {"migrations", "1"}};
    for (const auto& [name, value] : wanted) {
        INFO(name);
        CHECK(row.at(name) == value);
    }
    CHECK(tables.epochs[1].at("rank") == "1");
    CHECK(tables.epochs[1].at("epoch") == "1");
}

TEST_CASE("a failed run has a row without figures and its message as it was") {
    const std::string reason =
        GENERATE("plain", "one, two", "\"quoted\"", "two\nlines", "two\r\nlines");
    experiments::Run failed = tests::made_run("threads", 2, 1, 0.01);
    failed.failure = {core::ExitCode::kRunFailed, reason, {}, {}};
    const WrittenTables tables({failed, two_ranks()});
    REQUIRE(tables.runs.size() == 2);
    CHECK(tables.runs[0].at("mode") == "procs");
    const tests::CsvRow& row = tables.runs[1];
    CHECK(row.at("mode") == "threads");
    CHECK(row.at("status") == "failed");
    CHECK(row.at("reason") == reason);
    for (const auto& column : experiments::runs_csv_columns()) {
        INFO(column.name);
        if (!column.always) CHECK(row.at(std::string(column.name)).empty());
    }
    CHECK(tables.epochs.size() == 4);  // the other's
}

TEST_CASE("what was not measured is an empty cell") {
    experiments::Run record = two_ranks();
    SECTION("unknown to the kernel") {
        record.result.workers[1].process_memory.reset();
        record.result.workers[1].epochs[0].usage.migrations.reset();
        const WrittenTables tables({record});
        CHECK(tables.runs[0].at("pss_bytes").empty());
        CHECK(tables.runs[0].at("migrations").empty());
        CHECK(tables.epochs[1].at("migrations").empty());
        CHECK(tables.epochs[0].at("migrations") == "1");
    }
    SECTION("ranks of one process share its memory") {
        record.result.workers[1].process_memory.reset();
        record.result.workers[1].pid = record.result.workers[0].pid;
        CHECK(WrittenTables({record}).runs[0].at("pss_bytes") == "11");
    }
    SECTION("a run of no epoch") {
        record.result.epochs.clear();
        record.result.steps_per_epoch = 0;
        for (auto& worker : record.result.workers) worker.epochs.clear();
        const WrittenTables tables({record});
        for (const char* name :
             {"steps_per_epoch", "images_per_second", "step_seconds", "exchange_calls_per_epoch",
              "sent_bytes_per_epoch", "compute_to_communication"}) {
            INFO(name);
            CHECK(tables.runs[0].at(name).empty());
        }
        CHECK(tables.epochs.empty());
    }
    SECTION("one worker communicates with nobody") {
        const WrittenTables tables({tests::made_run("serial", 1, 1, 0.01)});
        CHECK(tables.runs[0].at("compute_to_communication").empty());
    }
}

TEST_CASE("numbers have a dot and no separators in every locale") {
    class German : public std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new German));
    const WrittenTables tables({two_ranks()});
    std::locale::global(before);
    CHECK(tables.runs[0].at("load_seconds") == "0.25");
    CHECK(tables.runs[0].at("sent_bytes_per_epoch") == "2000");
}
