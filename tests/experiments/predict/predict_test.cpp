// `dp_compare predict`: made measurements whose truth is known, what is refused, and the program.
#include "experiments/predict/predict.hpp"

#include <array>
#include <fstream>

#include <nlohmann/json.hpp>

#include "experiments/allreduce/benchmark.hpp"
#include "experiments/analysis/analysis.hpp"
#include "experiments/analysis/scaling_input.hpp"
#include "experiments/command_line.hpp"
#include "experiments/predict/calibration.hpp"
#include "experiments/predict/output.hpp"
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

constexpr double kGradientBytes = 4'591'656.0;
constexpr double kAlpha = 20e-6;
constexpr double kBeta = 1e-10;
constexpr double kComputePerImage = 400e-6;
constexpr double kLoad = 1e-3;
constexpr double kUpdate = 4e-3;
constexpr double kOther = 0.5e-3;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kSteps = 10;

/// in-place: 2 (P-1) signals, S (1 + 1/P) bytes moved.
double exchange_seconds(std::size_t workers, double bytes) {
    if (workers == 1) return 0.0;
    const auto p = static_cast<double>(workers);
    return 2.0 * (p - 1.0) * kAlpha + bytes * (1.0 + 1.0 / p) * kBeta;
}

double step_seconds(std::size_t workers, double batch) {
    return kComputePerImage * batch + kLoad * batch / kBatch +
           kUpdate / static_cast<double>(workers) + kOther +
           exchange_seconds(workers, kGradientBytes);
}

/// A run of `workers` threads on a machine that the step model describes; its computing takes
/// `inflation` times as long.
Run made_threads_run(std::size_t workers, std::size_t repetition, double inflation = 1.0) {
    Run run = tests::made_run("threads", workers, repetition, 1.0);
    core::RunResult& result = run.result;
    result.reduction = "in-place";
    result.steps_per_epoch = kSteps;
    const double compute = kSteps * kComputePerImage * kBatch * inflation;
    const double exchange = kSteps * exchange_seconds(workers, kGradientBytes);
    for (core::WorkerReport& worker : result.workers) {
        core::WorkerEpoch& epoch = worker.epochs.front();
        // A tenth of the exchange is hidden in backward.
        epoch.phase_seconds = {kSteps * kLoad,
                               0.4 * compute,
                               0.6 * compute + 0.1 * exchange,
                               0.9 * exchange,
                               kSteps * kUpdate / static_cast<double>(workers),
                               0.0,
                               0.5,
                               kSteps * kOther};
        epoch.exchange.hidden_seconds = 0.1 * exchange;
    }
    run.settings.config.batch_size = kBatch;
    run.context = {{"usable_cpus", 4.0}};
    return run;
}

struct Measurements {
    ResultsFolder results;
    std::vector<allreduce::Row> reductions;
};

predict::Predictions make_predictions(const Measurements& measurements,
                                      const predict::Request& request) {
    return predict::make_predictions(analyse(measurements.results, measurements.reductions),
                                     request);
}

/// Two repetitions of each N, and the reduction's rows near the gradients' size.
Measurements made_measurements(const std::vector<std::size_t>& workers) {
    Measurements measurements;
    measurements.results.folder = "results";
    for (const std::size_t n : workers) {
        for (const std::size_t repetition : {1U, 2U}) {
            measurements.results.runs.push_back(made_threads_run(n, repetition));
        }
    }
    for (const std::size_t n : {2U, 4U}) {
        for (const std::size_t bytes : {1'048'576U, 4'591'656U, 16'777'216U}) {
            allreduce::Row row;
            row.bytes = bytes;
            row.mode = "threads";
            row.workers = n;
            row.reduction = "in-place";
            row.repetitions = 100;
            row.time_us.median = 1e6 * exchange_seconds(n, static_cast<double>(bytes));
            measurements.reductions.push_back(row);
        }
    }
    return measurements;
}

predict::Request asking_for(const std::vector<std::size_t>& workers) {
    predict::Request request;
    request.folder = "results";
    request.workers = workers;
    return request;
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

TEST_CASE("an exchange is calibrated by right sums near the gradients' size, one CPU a rank") {
    const Measurements made = made_measurements({1, 2});
    const auto times = [](const std::vector<allreduce::Row>& rows) {
        return exchange_times(rows, "threads", "in-place", kGradientBytes).size();
    };
    REQUIRE(times(made.reductions) == 6);
    const auto with = [&](const auto& change) {
        std::vector<allreduce::Row> rows = made.reductions;
        change(rows[0]);
        return times(rows);
    };
    CHECK(with([](auto& row) { row.wrong = 1; }) == 5);
    CHECK(with([](auto& row) { row.oversubscribed = true; }) == 5);
    CHECK(with([](auto& row) { row.reduction = "direct"; }) == 5);
    CHECK(with([](auto& row) { row.mode = "procs"; }) == 5);
    CHECK(with([](auto& row) { row.workers = 1; }) == 5);
    CHECK(with([](auto& row) { row.bytes = 65'536; }) == 5);
    CHECK(with([](auto& row) { row.bytes = 4096; }) == 6);
    CHECK(with([](auto& row) { row.bytes = 67'108'864; }) == 5);
    CHECK(with([](auto& row) { row.bytes = 600'000; }) == 6);
    const auto first = exchange_times(made.reductions, "threads", "in-place", kGradientBytes)[0];
    CHECK(first.ranks == 2);
    CHECK(first.bytes == 1'048'576.0);
    CHECK(first.seconds == Approx(exchange_seconds(2, 1'048'576.0)));
}

TEST_CASE("allreduce.json is read back as it was written, and anything else is refused by name") {
    const tests::TemporaryFolder folder;
    auto rows = made_measurements({1, 2}).reductions;
    rows[1].wrong = 3;
    rows[2].oversubscribed = true;
    allreduce::write_rows(folder.path(), rows, Machine{});
    const auto file = folder.path() / allreduce::kFileName;
    const auto back = read_allreduce(file);
    REQUIRE(back.size() == rows.size());
    CHECK(back[0].time_us.median == rows[0].time_us.median);
    CHECK(back[0].bytes == rows[0].bytes);
    CHECK(back[1].wrong == 3);
    CHECK(back[1].time_us.median == 0.0);
    CHECK(back[2].oversubscribed);
    for (const char* text : {"", "{}", R"({"schema": "dp_compare.allreduce/9", "rows": []})",
                             R"({"schema": "dp_compare.allreduce/1", "rows": [{}]})"}) {
        INFO(text);
        std::ofstream(file) << text;
        CHECK(holds(tests::data_error_of([&] { read_allreduce(file); }), file.string()));
    }
}

TEST_CASE("predictions are the truth where the machine is as the model says") {
    const auto predictions = make_predictions(made_measurements({1, 2, 4}), asking_for({8, 64}));
    REQUIRE(predictions.modes.size() == 1);
    const predict::ModePredictions& mode = predictions.modes[0];
    CHECK(mode.design == "threads");
    CHECK(mode.reduction == "in-place");
    CHECK(mode.gradient_bytes == kGradientBytes);
    CHECK(mode.batch == kBatch);
    REQUIRE(mode.measured.size() == 3);
    CHECK(mode.measured[2].workers == 4);
    CHECK(mode.measured[2].repetitions.size() == 2);
    REQUIRE(mode.predictor);
    CHECK(mode.predictor->held_out().workers == 4);
    CHECK(mode.predictor->held_out().relative_error == Approx(0.0).margin(1e-9));
    REQUIRE(mode.predictions.size() == 2);
    for (const predict::PredictedWorkers& each : mode.predictions) {
        const double step = step_seconds(each.workers, kBatch);
        const auto n = static_cast<double>(each.workers);
        CHECK(each.prediction.step.seconds == Approx(step));
        CHECK(each.prediction.images_per_second == Approx(n * kBatch / step));
        CHECK(each.prediction.speedup == Approx(n * step_seconds(1, kBatch) / step));
        CHECK_FALSE(each.networked);
    }
    REQUIRE(mode.batches.size() == 2);
    for (const predict::BatchFor& each : mode.batches) {
        REQUIRE(each.batch);
        const auto efficiency = [&](std::size_t batch) {
            const auto b = static_cast<double>(batch);
            return step_seconds(1, b) / step_seconds(each.workers, b);
        };
        CHECK(efficiency(each.batch->batch) >= 0.8);
        CHECK((each.batch->batch == 1 || efficiency(each.batch->batch - 1) < 0.8));
    }
}

TEST_CASE("another batch is predicted for, and measured ones that share CPUs are left out") {
    Measurements measurements = made_measurements({1, 2});
    for (const std::size_t repetition : {1U, 2U}) {
        Run run = made_threads_run(8, repetition, 5.0);
        run.settings.oversubscribed = true;
        measurements.results.runs.push_back(run);
    }
    predict::Request request = asking_for({16});
    request.batch_size = 256;
    const auto mode = make_predictions(measurements, request).modes.at(0);
    CHECK(mode.measured.size() == 2);
    REQUIRE(mode.predictor);
    CHECK(mode.batch == 256);
    CHECK(mode.predictions.at(0).prediction.step.seconds == Approx(step_seconds(16, 256.0)));
}

TEST_CASE("a check that fails shows its error and widens the interval") {
    Measurements measurements = made_measurements({1, 2});
    for (const std::size_t repetition : {1U, 2U}) {
        measurements.results.runs.push_back(made_threads_run(4, repetition, 1.3));
    }
    const auto mode = make_predictions(measurements, asking_for({8})).modes.at(0);
    REQUIRE(mode.predictor);
    const double measured =
        step_seconds(4, kBatch) + 0.3 * kComputePerImage * static_cast<double>(kBatch);
    const double error = step_seconds(4, kBatch) / measured - 1.0;
    CHECK(mode.predictor->held_out().relative_error == Approx(error));
    const auto& step = mode.predictions.at(0).prediction.step;
    CHECK(step.interval95.high > step.seconds * (1.0 - error));
    const std::string text = predict::format_predictions(
        make_predictions(measurements, asking_for({8})), asking_for({8}));
    CHECK(holds(text, fmt::format("error {:+.1f} %: too far to rely on", 100.0 * error)));
}

TEST_CASE("a batch that holds the efficiency only by being tiny is not recommended") {
    Measurements measurements = made_measurements({1});
    for (const std::size_t repetition : {1U, 2U}) {
        measurements.results.runs.push_back(made_threads_run(2, repetition, 1.5));
    }
    const auto mode = make_predictions(measurements, asking_for({2})).modes.at(0);
    REQUIRE(mode.predictor);
    // The sliced update alone makes a batch of 1 efficient.
    CHECK(statistics::efficiency_of(mode.predictor->model(), 2, 1) > 0.8);
    CHECK(statistics::efficiency_of(mode.predictor->model(), 2, kBatch) < 0.8);
    CHECK_FALSE(mode.batches.at(0).batch);
    CHECK(holds(mode.batches.at(0).batch.reason(), "with 2 workers and a batch of 64"));

    // The report says the same.
    const Analysis made = analyse(measurements.results);
    const std::vector<const Configuration*> both{made.find("threads", 1), made.find("threads", 2)};
    const auto models = fit_models("threads", both, false, measurements.reductions);
    REQUIRE_FALSE(models.isoefficiency.empty());
    CHECK(models.isoefficiency[0].batch.reason() == mode.batches.at(0).batch.reason());
}

TEST_CASE("on a network the machines are as few as hold all workers, each with its ring's time") {
    predict::Request request = asking_for({4, 6, 16});
    request.network = {50e-6, 1e9};
    const auto predictions = make_predictions(made_measurements({1, 2, 4}), request);
    CHECK(predictions.workers_per_machine == 4);  // the usable CPUs
    CHECK(predictions.most_machines == 4);
    const auto& rows = predictions.modes.at(0).predictions;
    CHECK(rows.at(0).networked->machines == 1);
    CHECK(rows.at(0).networked->images_per_second == Approx(rows[0].prediction.images_per_second));
    // Six workers on two machines of three each.
    const double two = 2.0 * (50e-6 + kGradientBytes / 2e9);
    CHECK(rows.at(1).networked->machines == 2);
    CHECK(rows.at(1).networked->images_per_second ==
          Approx(6.0 * kBatch / (step_seconds(3, kBatch) + two)));
    const double four = 6.0 * (50e-6 + kGradientBytes / 4e9);
    CHECK(rows.at(2).networked->machines == 4);
    CHECK(rows.at(2).networked->images_per_second ==
          Approx(16.0 * kBatch / (step_seconds(4, kBatch) + four)));
    CHECK(predictions.modes[0].machines_that_pay == 2U);
    CHECK(holds(predict::format_predictions(predictions, request),
                "several machines are faster than one from N = 8 on (2 machines of 4)"));

    request.workers = {5};
    const auto five = make_predictions(made_measurements({1, 2, 4}), request);
    // Three on the fuller of two machines set the pace, and five are counted.
    CHECK(five.modes.at(0).predictions.at(0).networked->images_per_second ==
          Approx(5.0 * kBatch / (step_seconds(3, kBatch) + two)));

    request.network->bytes_per_second = 1e7;
    const auto slow = make_predictions(made_measurements({1, 2, 4}), request);
    CHECK_FALSE(slow.modes.at(0).machines_that_pay);
    CHECK(holds(predict::format_predictions(slow, request),
                "up to N = 8 (2 machines of 4) no number of machines is faster than one"));
}

TEST_CASE("without a second N or the reduction's times there is a reason and no figure") {
    const auto one = make_predictions(made_measurements({1}), asking_for({8})).modes.at(0);
    CHECK_FALSE(one.predictor);
    CHECK(holds(one.predictor.reason(), "N = 1 alone"));
    CHECK(one.predictions.empty());

    Measurements without = made_measurements({1, 2});
    without.reductions.clear();
    const auto none = make_predictions(without, asking_for({8})).modes.at(0);
    CHECK_FALSE(none.predictor);
    CHECK(holds(none.predictor.reason(), "results/allreduce.json is missing"));
    CHECK(holds(none.predictor.reason(), "dp_compare allreduce --mode threads --reduction"));
    CHECK(holds(none.predictor.reason(), " -n 2 --out results"));
    const std::string text =
        predict::format_predictions(make_predictions(without, asking_for({8})), asking_for({8}));
    CHECK(holds(text, "no prediction"));
    CHECK_FALSE(holds(text, "predicted"));

    Measurements serial = made_measurements({1});
    for (Run& run : serial.results.runs) run.settings.config.mode = "serial";
    const auto error = error_of([&] { make_predictions(serial, asking_for({8})); });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    predict::Request procs = asking_for({8});
    procs.modes = {"procs"};
    CHECK(holds(error_of([&] {
                    make_predictions(made_measurements({1, 2}), procs);
                })->what(),
                "--mode procs"));
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
    CHECK(two.repetitions == 5);
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
    const auto request = std::get<predict::Request>(
        parse({"results", "-n", "16,32", "--latency-us", "20", "--bandwidth-gb-per-s", "1.25",
               "--workers-per-machine", "8", "--efficiency", "90%"}));
    CHECK(request.folder == "results");
    CHECK(request.workers == std::vector<std::size_t>{16, 32});
    REQUIRE(request.network);
    CHECK(request.network->latency_seconds == Approx(20e-6));
    CHECK(request.network->bytes_per_second == Approx(1.25e9));
    CHECK(request.workers_per_machine == 8U);
    CHECK(request.efficiency == Approx(0.9));
    const std::vector<std::pair<std::vector<const char*>, const char*>> refused{
        {{}, "--workers"},
        {{"-n", "0"}, "0"},
        {{"-n", "2,2"}, "twice"},
        {{"-n", "2", "--mode", "serial"}, "--mode serial"},
        {{"-n", "2", "--mode", "x"}, "'x'"},
        {{"-n", "2", "--latency-us", "5"}, "give both"},
        {{"-n", "2", "--bandwidth-gb-per-s", "5"}, "give both"},
        {{"-n", "2", "--workers-per-machine", "5"}, "without a network"},
        {{"-n", "2", "--efficiency", "0"}, "--efficiency"},
        {{"-n", "2", "--efficiency", "8"}, "--efficiency"}};
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
    const auto result = tests::run_program(
        {"predict", "-n", "16,64", "--mode", "threads", "--batch-size", "4", "--json", json},
        {"TMPDIR=" + folder.path().string()});
    CHECK(std::filesystem::is_empty(folder.path()));
    if (read_machine().usable_cpus() < 2.0) {
        CHECK(result.exit_code == 4);
        return;
    }
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(holds(result.err, "measuring threads with N = 1, 2"));
    CHECK(holds(result.out, "check:"));
    CHECK(holds(result.out, "predicted"));
    CHECK_FALSE(holds(result.out, "checksum"));
    const auto document = nlohmann::json::parse(std::ifstream(json));
    CHECK(document.at("schema") == "dp_compare.predict/2");
    const auto& mode = document.at("designs").at(0);
    CHECK(mode.at("batch_size") == 4);
    REQUIRE(mode.at("predictions").size() == 2);
    CHECK(mode.at("predictions")[1].at("workers") == 64);
    CHECK(mode.at("predictions")[1].at("images_per_second") > 0.0);
}
