// `dp_compare predict`: made measurements whose truth is known, what is refused, and the program.
#include "experiments/predict/predict.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/nn/model.hpp"
#include "experiments/allreduce/benchmark.hpp"
#include "experiments/command_line.hpp"
#include "experiments/modes.hpp"
#include "experiments/predict/calibration.hpp"
#include "experiments/report/markdown.hpp"
#include "experiments/report/report.hpp"
#include "experiments/text/numbers.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using namespace dp::experiments;
using namespace dp::experiments::analysis;
using tests::error_of;
using tests::holds;

namespace {

constexpr double kComputePerImage = 400e-6;
constexpr double kLoad = 1e-3;
constexpr double kUpdate = 4e-3;
constexpr double kOther = 0.5e-3;
constexpr double kTransfer = 0.8e-3;  // for all gradients, passed on once
constexpr std::size_t kBatch = 64;
constexpr std::size_t kSteps = 10;

/// in-place: each rank reads (P-1)/P of the gradients from others, and updates a slice.
double step_seconds(std::size_t workers, double inflation = 1.0, double slower_bytes = 1.0) {
    const auto p = static_cast<double>(workers);
    return kComputePerImage * kBatch * inflation + kLoad + kUpdate / p + kOther +
           kTransfer * slower_bytes * (p - 1.0) / p;
}

/// A run of `workers` threads on such a machine; its computing takes `inflation` times as long.
Run made_threads_run(std::size_t workers, std::size_t repetition, double inflation = 1.0) {
    Run run = tests::made_run("threads", workers, repetition, 1.0);
    core::RunResult& result = run.result;
    result.reduction = "in-place";
    result.steps_per_epoch = kSteps;
    const auto p = static_cast<double>(workers);
    const double compute = kSteps * kComputePerImage * kBatch * inflation;
    const double exchange = kSteps * kTransfer * (p - 1.0) / p;
    for (core::WorkerReport& worker : result.workers) {
        core::WorkerEpoch& epoch = worker.epochs.front();
        // A tenth of the exchange is hidden in backward.
        epoch.phase_seconds = {kSteps * kLoad,
                               0.4 * compute,
                               0.6 * compute + 0.1 * exchange,
                               0.9 * exchange,
                               kSteps * kUpdate / p,
                               0.0,
                               0.5,
                               kSteps * kOther};
        epoch.exchange.hidden_seconds = 0.1 * exchange;
        worker.memory.activations_bytes = 40'000'000;
    }
    run.settings.config.batch_size = kBatch;
    Machine machine;
    machine.affinity = {0, 1, 2, 3};
    run.context = context_json(machine);
    static const core::Dataset data = core::make_synthetic(1, 20, 10);
    run.settings.data = DataFacts(data);
    return run;
}

/// Six repetitions of each N.
ResultsFolder made_results(const std::vector<std::size_t>& workers) {
    ResultsFolder results{"results", {}, {}};
    for (const std::size_t n : workers) {
        for (std::size_t repetition = 1; repetition <= 6; ++repetition) {
            results.runs.push_back(made_threads_run(n, repetition));
        }
    }
    return results;
}

ModeModels predict_one(ResultsFolder results, const predict::Request& request = {}) {
    return predict::make_predictions(analyse(std::move(results)), request).at(0);
}

/// What predict::make_predictions() refuses `request` with.
std::string refusal(const std::vector<std::size_t>& measured, const predict::Request& request) {
    const auto error = error_of([&] { predict_one(made_results(measured), request); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    return error->what();
}

}  // namespace

TEST_CASE("a step's parts are means over workers and steps, and sum to its wall time") {
    core::RunResult result;
    result.epochs.resize(1);
    result.steps_per_epoch = 10;
    core::WorkerEpoch epoch;
    epoch.phase_seconds = {0.1, 0.2, 0.6, 0.3, 0.05, 0.04, 9.0, 0.01};
    epoch.exchange.wait_seconds = 0.2;
    epoch.exchange.hidden_seconds = 0.1;
    core::WorkerReport worker;
    worker.epochs = {epoch};
    result.workers = {worker, worker};
    result.workers[1].epochs[0].phase_seconds[0] = 0.3;
    const auto parts = step_parts(result);
    CHECK(parts.load == Approx(0.02));
    CHECK(parts.compute == Approx(0.07));
    CHECK(parts.transfer == Approx(0.02));
    CHECK(parts.wait == Approx(0.024));
    CHECK(parts.update == Approx(0.005));
    CHECK(parts.other == Approx(0.001));
    CHECK(parts.total() == Approx(0.14));
    result.steps_per_epoch = 0;
    CHECK_THROWS_AS(step_parts(result), core::CheckFailure);
}

TEST_CASE("what one rank updates for all is update, and not the others' waiting") {
    core::RunResult result;
    result.update_kind = core::name_of(core::UpdateKind::kCentral);
    result.epochs.resize(1);
    result.steps_per_epoch = 10;
    core::WorkerEpoch master;
    master.phase_seconds = {0.1, 0.2, 0.6, 0.3, 0.09, 0.01, 9.0, 0.01};
    core::WorkerEpoch other;
    other.phase_seconds = {0.1, 0.2, 0.6, 0.3, 0.0, 0.1, 9.0, 0.01};
    result.workers.resize(3);
    result.workers[0].epochs = {master};
    result.workers[1].epochs = result.workers[2].epochs = {other};
    const auto parts = step_parts(result);
    CHECK(parts.update == Approx(0.009));
    CHECK(parts.wait == Approx(0.001));
}

TEST_CASE("allreduce.json is read back as it was written, and anything else is refused by name") {
    const tests::TemporaryFolder folder;
    std::vector<allreduce::Row> rows(3);
    for (allreduce::Row& row : rows) {
        row.bytes = 4096;
        row.mode = "threads";
        row.workers = 2;
        row.reduction = "in-place";
        row.time_us.median = 12.5;
    }
    rows[1].wrong = 3;
    rows[2].oversubscribed = true;
    allreduce::write_rows(folder.path(), rows, Machine{}, 2e10);
    const auto file = folder.path() / allreduce::kFileName;
    const ReductionTimes back = read_allreduce(file);
    CHECK(back.triad_bytes_per_second == 2e10);
    REQUIRE(back.rows.size() == rows.size());
    CHECK(back.rows[0].time_us.median == 12.5);
    CHECK(back.rows[0].bytes == 4096);
    CHECK(back.rows[1].wrong == 3);
    CHECK(back.rows[1].time_us.median == 0.0);
    CHECK(back.rows[2].oversubscribed);
    for (const char* text : {"", "{}", R"({"schema": "dp_compare.allreduce/9", "rows": []})",
                             R"({"schema": "dp_compare.allreduce/1", "rows": [{}]})"}) {
        INFO(text);
        std::ofstream(file) << text;
        CHECK(holds(tests::data_error_of([&] { read_allreduce(file); }), file.string()));
    }
}

TEST_CASE("predictions hold the truth where the machine is as the model says") {
    const ModeModels models = predict_one(made_results({1, 2, 4}));
    REQUIRE(models.predictor);
    REQUIRE(models.predictions.size() == 1);  // of twice the largest N
    const statistics::Prediction& eight = models.predictions[0];
    CHECK(eight.workers == 8);
    CHECK(eight.step_seconds.range.low == Approx(step_seconds(8)));
    CHECK(eight.step_seconds.range.high == Approx(step_seconds(8, 1.0, 2.0)));
    CHECK(eight.images_per_second.range.high == Approx(8 * kBatch / step_seconds(8)));
    CHECK(eight.speedup.range.high == Approx(8 * step_seconds(1) / step_seconds(8)));
    CHECK(*eight.memory_bytes_per_second == Approx(8 * 2 * 40e6 / step_seconds(8)));
    REQUIRE(models.predictor->checks().size() == 1);
    CHECK(models.predictor->checks()[0].predicted.workers == 4);
    CHECK(models.predictor->checks()[0].measured_seconds == Approx(step_seconds(4)));
}

TEST_CASE("beyond twice the measured N it takes --far, and what was measured is not predicted") {
    predict::Request request;
    request.workers = {3, 8};
    CHECK(holds(refusal({1, 2}, request), "up to N = 2 carry predictions up to N = 4"));
    request.far = true;
    const ModeModels far = predict_one(made_results({1, 2}), request);
    REQUIRE(far.predictions.size() == 2);
    CHECK(far.predictions[0].step_seconds.middle);
    CHECK_FALSE(far.predictions[1].step_seconds.middle);
    CHECK(holds(refusal({1, 2, 4}, request), "-n 3: up to N = 4 it was measured"));
}

TEST_CASE("measured runs that share CPUs are left out of predictions") {
    ResultsFolder results = made_results({1, 2});
    for (std::size_t repetition = 1; repetition <= 6; ++repetition) {
        Run run = made_threads_run(8, repetition, 5.0);
        run.settings.oversubscribed = true;
        results.runs.push_back(run);
    }
    const ModeModels models = predict_one(std::move(results));
    REQUIRE(models.predictor);
    CHECK(models.predictor->largest() == 2);
    CHECK(models.predictions.at(0).step_seconds.range.low == Approx(step_seconds(4)));
}

TEST_CASE("a repetition that lacks an N predicts nothing") {
    ResultsFolder results = made_results({1, 2});
    std::erase_if(results.runs,
                  [](const Run& run) { return run.workers() == 2 && run.repetition == 3; });
    CHECK(predict_one(std::move(results)).predictor->repetitions().size() == 5);
}

TEST_CASE(
    "a check that is off by more than the loss leaves no row, and report and command say so") {
    std::vector<Run> runs;
    for (std::size_t repetition = 1; repetition <= 6; ++repetition) {
        runs.push_back(made_threads_run(1, repetition));
        runs.push_back(made_threads_run(2, repetition, 1.5));
        runs.push_back(made_threads_run(4, repetition, 1.05));
    }
    const Analysis analysis = analyse(results_of("results", std::move(runs)));
    const auto models = predict::make_predictions(analysis, {});
    CHECK_FALSE(models.at(0).predictor);
    CHECK(models[0].predictions.empty());
    const std::string text = predict::format_predictions(models, analysis);
    CHECK(holds(text, "threads: no prediction: for N = 4 the smaller N predict"));
    CHECK_FALSE(holds(text, "images/s"));
}

TEST_CASE("batches that change with N are not predicted from") {
    ResultsFolder results = made_results({1, 2});
    for (Run& run : results.runs) {
        run.settings.scaling = Scaling::kStrong;
        if (run.workers() == 2) run.settings.config.batch_size = kBatch / 2;
    }
    const ModeModels models = predict_one(std::move(results));
    CHECK(holds(models.predictor.reason(), "the batch per worker changes with N"));
}

TEST_CASE("the report has the rows and notes of the command") {
    const Analysis analysis = analyse(made_results({1, 2, 4}), {{}, 3e10});
    const std::string text =
        predict::format_predictions(predict::make_predictions(analysis, {}), analysis);
    const std::string page = report::to_markdown(report::make_document(analysis, {}));
    for (const char* words :
         {"Check: N = 4 from the smaller N: a step of", "28.3 ms to 29.0 ms", "to 18,092",
          "of which this machine has 4", "this machine's memory moves 30.0 GB/s (triad)"}) {
        INFO(words << "\n" << text);
        CHECK(holds(text, words));
        CHECK(holds(page, words));
    }
}

TEST_CASE("without a second N or a mode that exchanges there is a reason and no figure") {
    const ModeModels one = predict_one(made_results({1}));
    CHECK(holds(one.predictor.reason(), "it needs N = 1 and another"));
    CHECK(one.predictions.empty());
    ResultsFolder serial = made_results({1});
    for (Run& run : serial.runs) run.settings.config.mode = "serial";
    const auto error = error_of([&] { predict_one(serial); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    predict::Request procs;
    procs.modes = {"procs"};
    CHECK(holds(refusal({1, 2}, procs), "--mode procs"));
}

TEST_CASE("the sweep of its own has N from 1 to the usable CPUs and full batches") {
    using predict::calibrating_workers;
    CHECK(calibrating_workers(1.0) == std::vector<std::size_t>{1});
    CHECK(calibrating_workers(2.5) == std::vector<std::size_t>{1, 2});
    CHECK(calibrating_workers(6.0) == std::vector<std::size_t>{1, 2, 4, 6});
    CHECK(calibrating_workers(8.0) == std::vector<std::size_t>{1, 2, 4, 8});
    const auto two = predict::calibrating_sweep({"threads"}, 128, 2.0);
    CHECK(two.base.steps_limit == 25U);
    CHECK(two.base.epochs == 1);
    CHECK(two.repetitions == 6);
    CHECK_FALSE(two.report);
    const auto sixteen = predict::calibrating_sweep({"threads"}, 128, 16.0);
    CHECK(sixteen.base.steps_limit == 4U);
    CHECK(sixteen.base.epochs == 7);
    const auto code = [](std::size_t batch, double cpus) {
        const auto error = error_of([&] { predict::calibrating_sweep({"threads"}, batch, cpus); });
        return error ? error->code() : core::ExitCode::kSuccess;
    };
    CHECK(code(5000, 2.0) == core::ExitCode::kSuccess);
    CHECK(code(5001, 2.0) == core::ExitCode::kUsage);
    CHECK(code(128, 1.5) == core::ExitCode::kResources);
}

TEST_CASE("the options of predict are checked") {
    const auto parse = [](std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), {"dp_compare", "predict"});
        return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    };
    const auto request = std::get<predict::Request>(parse({"results", "-n", "16,32", "--far"}));
    CHECK(request.folder == "results");
    CHECK(request.workers == std::vector<std::size_t>{16, 32});
    CHECK(request.far);
    const std::vector<std::pair<std::vector<const char*>, const char*>> refused{
        {{"-n", "0"}, "0"},
        {{"-n", "2,2"}, "twice"},
        {{"-n", "2", "--mode", "serial"}, "--mode serial"},
        {{"-n", "2", "--mode", "x"}, "'x'"},
        {{"-n", "2", "--mode", "hybrid"}, "--mode hybrid"},
        {{"results", "--batch-size", "8"}, "--batch-size 8 with a folder"}};
    for (const auto& [arguments, words] : refused) {
        INFO(words);
        const auto error = error_of([&] { parse(arguments); });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kUsage);
        CHECK(holds(error->what(), words));
    }
}

TEST_CASE("dp_compare predict measures by itself, says so, and leaves no file behind") {
    const tests::TemporaryFolder folder, out;
    const std::string json = (out.path() / "predict.json").string();
    const auto result = tests::run_program({"predict", "-n", "16,64", "--far", "--mode", "threads",
                                            "--batch-size", "4", "--json", json},
                                           {"TMPDIR=" + folder.path().string()});
    CHECK(std::filesystem::is_empty(folder.path()));
    if (read_machine().usable_cpus() < 2.0) {
        CHECK(result.exit_code == 4);
        return;
    }
    INFO(result.err);
    CHECK(holds(result.err, "measuring threads with N = 1, 2"));
    const auto document = nlohmann::json::parse(std::ifstream(json));
    CHECK(document.at("schema") == "dp_compare.predict/3");
    CHECK(document.at("triad_bytes_per_second") > 1e8);
    const auto& design = document.at("designs").at(0);
    if (result.exit_code != 0) {  // with more than two CPUs noise can fail the check
        CHECK(result.exit_code == 2);
        CHECK(holds(design.at("refused").get<std::string>(), "the error is more than"));
        return;
    }
    CHECK(design.at("batch_size") == 4);
    REQUIRE(design.at("predictions").size() == 2);
    CHECK(design.at("predictions")[1].at("workers") == 64);
    CHECK(design.at("predictions")[1].at("images_per_second").is_null());
    CHECK(design.at("predictions")[1].at("images_per_second_range")[0] > 0.0);
}

TEST_CASE("the plan, run files and report give one figure for the bytes of an exchange") {
    const std::vector<std::string> run{"--mode", "threads,procs", "-n", "2", "--steps",
                                       "2",      "--batch-size",  "4"};
    std::vector<std::string> arguments = run;
    arguments.emplace_back("--dry-run");
    const auto plan = tests::run_program(arguments);
    REQUIRE(plan.exit_code == 0);
    const tests::TemporaryFolder folder;
    arguments = run;
    for (const std::string& more :
         {std::string("--no-report"), std::string("--epochs"), std::string("1"),
          std::string("--out"), folder.path().string()}) {
        arguments.push_back(more);
    }
    arguments.emplace_back("--force");
    const auto measured = tests::run_program(arguments);
    INFO(measured.err);
    REQUIRE(measured.exit_code == 0);
    const Analysis analysis = analyse(folder.path());
    const std::string page = report::to_markdown(report::make_document(analysis, {}));
    const double gradients =
        static_cast<double>(core::find_model("cifar_cnn").parameters * sizeof(float));
    for (const Configuration& each : analysis.configurations) {
        const auto traits = mode_of(each.design).reductions().front();
        const double sent = gradients * traits.sent_per_byte(2.0);
        INFO(each.name());
        // What is sent has padding between its tensors.
        CHECK(each.sent_bytes_per_step() == Approx(sent).epsilon(0.005));
        CHECK(each.sent_bytes_per_step() >= sent);
        CHECK(holds(plan.out, fmt::format("sends to others or reads from them {:.2f} MB a step",
                                          sent / 1e6)));
        CHECK(holds(
            page, fmt::format("| {} | 2 | {} |", each.design, bytes(each.sent_bytes_per_step()))));
    }
}
