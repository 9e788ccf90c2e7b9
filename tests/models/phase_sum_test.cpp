// Where the time of real runs went: no second is missing and none counts twice.
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/measure/phase_clock.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/runs_csv.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/data.hpp"
#include "tests/support/modes.hpp"
#include "tests/support/program.hpp"

using namespace dp;

namespace {

constexpr double kTolerance = 1e-6;  // of the wall time: CSV files round

struct Choice {
    std::string mode;
    std::string reduction;
};

std::vector<Choice> every_reduction() {
    std::vector<Choice> all;
    for (const experiments::Mode& mode : tests::forked_modes()) {
        for (const auto& row : mode.reductions()) {
            all.push_back({std::string(mode.name), std::string(row.name)});
        }
    }
    return all;
}

/// Every mode with its default.
std::vector<Choice> every_mode() {
    std::vector<Choice> all;
    for (const experiments::Mode& mode : tests::forked_modes()) {
        all.push_back({std::string(mode.name), std::string(mode.reductions().front().name)});
    }
    return all;
}

/// The phases' CPU times sum to the thread's, and none is longer than its phase.
void check_cpu_time(const nlohmann::json& epoch, bool one_thread) {
    constexpr double kReading = 1e-3;  // what lies between two readings of two clocks
    double sum = 0.0;
    for (const auto name : core::kPhaseNames) {
        const std::string field = std::string(name) + "_cpu_seconds";
        REQUIRE(epoch.at(field).is_number() == one_thread);
        if (!one_thread) continue;
        const double cpu = epoch.at(field);
        CHECK(cpu >= 0.0);
        CHECK(cpu <= epoch.at(std::string(name) + "_seconds").get<double>() + kReading);
        sum += cpu;
    }
    const double used = epoch.at("usage").at("cpu_seconds");
    // getrusage counts a running thread up to the last tick of the kernel's clock.
    constexpr double kTicks = 0.020;
    if (one_thread) CHECK(std::abs(sum - used) <= 0.02 * used + kTicks);
}

void check_document(const experiments::Run& run) {
    const auto document = nlohmann::json::parse(std::ifstream(run.file));
    for (const auto& worker : document.at("result").at("workers")) {
        for (const auto& epoch : worker.at("epochs")) {
            double sum = 0.0;
            for (const auto name : core::kPhaseNames) {
                sum += epoch.at(std::string(name) + "_seconds").get<double>();
            }
            const double wall = epoch.at("wall_seconds");
            INFO("rank " << worker.at("rank") << ": " << epoch.dump(2));
            CHECK(wall > 0.0);
            CHECK(std::abs(sum - wall) <= kTolerance * wall);
            const auto& exchange = epoch.at("exchange");
            CHECK(exchange.at("wait_seconds") <= epoch.at("exchange_seconds"));
            CHECK(exchange.at("hidden_seconds") <= epoch.at("backward_seconds"));
            check_cpu_time(epoch, worker.at("threads") == 1);
        }
    }
}

void check_row(const tests::CsvRow& row) {
    double sum = 0.0;
    for (const char* phase : {"load", "forward", "backward", "exchange_wait", "exchange_transfer",
                              "update", "publish", "evaluate", "other"}) {
        sum += std::stod(row.at(std::string(phase) + "_seconds"));
    }
    const double wall = std::stod(row.at("wall_seconds"));
    CHECK(wall > 0.0);
    CHECK(std::abs(sum - wall) <= kTolerance * wall);
}

/// Of each rank and epoch every step is kept, and they sum to its phases.
void check_steps(const core::RunResult& result) {
    for (const core::WorkerReport& worker : result.workers) {
        REQUIRE(worker.steps.size() == result.epochs.size());
        for (std::size_t i = 0; i < worker.steps.size(); ++i) {
            const core::EpochSteps& steps = worker.steps[i];
            const core::WorkerEpoch& epoch = worker.epochs[i];
            CHECK(steps.size() == result.steps_per_epoch);
            const auto seconds = [&](core::StepPart part) {
                return 1e-6 * std::accumulate(steps[part].begin(), steps[part].end(), 0.0);
            };
            // Each step is rounded to a microsecond.
            const double rounding = 1e-6 * static_cast<double>(steps.size());
            for (const auto& [part, phase] : {std::pair{core::StepPart::kLoad, core::Phase::kLoad},
                                              {core::StepPart::kForward, core::Phase::kForward},
                                              {core::StepPart::kBackward, core::Phase::kBackward},
                                              {core::StepPart::kExchange, core::Phase::kExchange},
                                              {core::StepPart::kUpdate, core::Phase::kUpdate},
                                              {core::StepPart::kPublish, core::Phase::kPublish}}) {
                INFO(core::name_of(phase));
                const double whole = epoch.phase_seconds[static_cast<std::size_t>(phase)];
                CHECK(std::abs(seconds(part) - whole) <= rounding);
            }
            CHECK(std::abs(seconds(core::StepPart::kWait) - epoch.exchange.wait_seconds) <=
                  rounding);
            CHECK(std::abs(seconds(core::StepPart::kHidden) - epoch.exchange.hidden_seconds) <=
                  rounding);
            CHECK(steps[core::StepPart::kLateAtExchange].size() ==
                  (result.workers.size() > 1 ? steps.size() : 0));
        }
    }
}

/// Runs the program with small batches, and checks every rank's epochs in its files.
void check_run(const Choice& choice, std::size_t workers,
               const std::vector<std::string>& more = {}) {
    const tests::TemporaryFolder folder;
    std::vector<std::string> arguments{"--mode",       choice.mode,
                                       "--reduction",  choice.reduction,
                                       "-n",           std::to_string(workers),
                                       "--epochs",     "2",
                                       "--steps",      "3",
                                       "--batch-size", "8",
                                       "--out",        folder.path() / "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto program = tests::run_program(arguments);
    INFO(choice.mode << " " << choice.reduction << " N = " << workers << ": " << program.err);
    REQUIRE(program.exit_code == 0);
    const auto results = experiments::read_results(folder.path() / "out");
    REQUIRE(results.runs.size() == 1);
    const experiments::Mode& mode = experiments::find_mode(choice.mode);
    const std::size_t ranks = mode.has_teams ? 2 * workers : workers;
    const std::size_t computing = mode.takes_turns || mode.one_replica ? 1 : ranks;
    CHECK(results.runs[0].result.workers.size() == computing);
    check_document(results.runs[0]);
    check_steps(results.runs[0].result);
    experiments::write_runs_csv(folder.path(), results);
    const auto epochs = tests::csv_rows(folder.path() / experiments::kEpochsCsv);
    CHECK(epochs.size() == 2 * results.runs[0].result.workers.size());
    for (const auto& row : epochs) check_row(row);
    for (const auto& row : tests::csv_rows(folder.path() / experiments::kRunsCsv)) check_row(row);
}

}  // namespace

TEST_CASE("the phases of every rank sum to its wall time in every mode and reduction") {
    for (const Choice& choice : every_reduction()) {
        check_run(choice, 2);
        check_run(choice, 2, {"--overlap", "off"});
    }
}

TEST_CASE("the phases of workers that play several shards sum to the wall time") {
    for (const char* mode : {"threads", "procs"}) check_run({mode, "tree"}, 2, {"--shards", "4"});
}

TEST_CASE("the phases sum to the wall time with a straggler") {
    for (const Choice& choice : every_mode()) {
        check_run(choice, 2, {"--inject", "delay:rank=0,ms=20,phase=backward"});
    }
}

TEST_CASE("the phases sum to the wall time of four workers, more than many machines have CPUs") {
    for (const Choice& choice : every_mode()) check_run(choice, 4);
}
