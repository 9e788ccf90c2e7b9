#include "experiments/predict/predict.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/allreduce/benchmark.hpp"
#include "experiments/analysis/scaling_input.hpp"
#include "experiments/modes.hpp"
#include "experiments/predict/calibration.hpp"
#include "experiments/predict/output.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments::predict {

using namespace analysis;

namespace {

using core::Error;
using core::ExitCode;
using statistics::ExchangeModel;
using statistics::MeasuredPoint;
using statistics::Outcome;
using statistics::Prediction;
using statistics::Predictor;

std::vector<std::string> modes_of(const std::vector<RunGroup>& groups) {
    std::vector<std::string> modes;
    for (const RunGroup& group : groups) {
        if (!mode_of(group.mode).exchanges || std::ranges::find(modes, group.mode) != modes.end()) {
            continue;
        }
        modes.push_back(group.mode);
    }
    return modes;
}

std::vector<std::string> chosen_modes(const std::vector<RunGroup>& groups, const Request& request) {
    const std::vector<std::string> offered = modes_of(groups);
    for (const std::string& mode : request.modes) {
        if (std::ranges::find(offered, mode) != offered.end()) continue;
        throw Error(ExitCode::kUsage, "--mode {}: the results hold no such runs that exchange",
                    mode);
    }
    if (offered.empty()) {
        throw Error(ExitCode::kUsage, "the results hold no mode that exchanges: measure --mode {}",
                    core::join(modes_that(&Mode::exchanges), ","));
    }
    return request.modes.empty() ? offered : request.modes;
}

Outcome<ExchangeModel> calibrate_exchange(const std::vector<allreduce::Row>& rows,
                                          const std::string& folder, const ModePredictions& mode,
                                          std::size_t workers) {
    const std::string command =
        fmt::format("dp_compare allreduce --mode {} -n {} --out {}", mode.mode, workers, folder);
    if (rows.empty()) {
        return Outcome<ExchangeModel>::refused(fmt::format("{}/{} is missing: measure it with {}",
                                                           folder, allreduce::kFileName, command));
    }
    const auto times = exchange_times(rows, mode.mode, mode.reduction, mode.gradient_bytes);
    const auto model = allreduce::calibrate(mode.mode, mode.reduction, times);
    if (model) return model;
    return Outcome<ExchangeModel>::refused(
        fmt::format("{}; measure it anew with {} --force", model.reason(), command));
}

/// A prediction on machines, with the throughput of `workers` even where the last machine has fewer
/// than the others.
Prediction with_network(const Predictor& predictor, std::size_t workers, std::size_t batch,
                        std::size_t per_machine, const statistics::Network& network) {
    const std::size_t machines = (workers + per_machine - 1) / per_machine;
    const std::size_t fullest = (workers + machines - 1) / machines;
    Prediction result = predictor.predict(fullest, batch, machines, network);
    const double share = static_cast<double>(workers) / static_cast<double>(fullest * machines);
    result.images_per_second *= share;
    result.speedup *= share;
    return result;
}

void predict_mode(ModePredictions& mode, const Predictions& all, const Request& request) {
    const Predictor& predictor = *mode.predictor;
    for (const std::size_t workers : request.workers) {
        PredictedWorkers row{workers, predictor.predict(workers, mode.batch), {}};
        if (request.network) {
            row.networked = with_network(predictor, workers, mode.batch, all.workers_per_machine,
                                         *request.network);
        }
        mode.predictions.push_back(row);
        mode.batches.push_back(
            {workers, statistics::batch_for_efficiency(predictor.model(), workers,
                                                       request.efficiency, mode.batch)});
    }
    if (!request.network) return;
    mode.machines_that_pay = statistics::machines_that_pay(
        predictor, all.workers_per_machine, mode.batch, *request.network, all.most_machines);
}

ModePredictions predict_mode(const std::string& name, const std::vector<RunGroup>& groups,
                             const Measurements& measurements, const Predictions& all,
                             const Request& request) {
    ModePredictions mode{name,
                         {},
                         0.0,
                         {},
                         Outcome<ExchangeModel>::refused("not measured"),
                         Outcome<Predictor>::refused("every N is oversubscribed"),
                         1,
                         {},
                         {},
                         {}};
    std::vector<MeasuredPoint> points;
    const RunGroup* largest = nullptr;
    for (const RunGroup& group : groups) {
        if (group.mode != name || group.oversubscribed) continue;
        MeasuredPoint point = measured_point(group.runs);
        if (point.repetitions.empty()) continue;
        mode.measured.push_back({point.workers, point.batch, point.repetitions.size()});
        points.push_back(std::move(point));
        largest = &group;
    }
    if (largest == nullptr) return mode;
    if (points.size() < 2) {
        mode.predictor = Outcome<Predictor>::refused(fmt::format(
            "N = {} alone says nothing of other N: measure -n 1 and another that has a CPU for "
            "each worker",
            points.front().workers));
        return mode;
    }
    const statistics::PredictionSetup setup = prediction_setup(largest->runs.front());
    mode.gradient_bytes = setup.gradient_bytes;
    mode.reduction = largest->runs.front().result.reduction;
    mode.batch = request.batch_size.value_or(largest->runs.front().batch_size);
    mode.exchange = calibrate_exchange(
        measurements.reductions, measurements.results.folder.string(), mode, largest->workers);
    mode.predictor = mode.exchange ? Predictor::make(points, *mode.exchange, setup)
                                   : Outcome<Predictor>::refused(mode.exchange.reason());
    if (mode.predictor) predict_mode(mode, all, request);
    return mode;
}

std::size_t usable_cpus(const ResultsFolder& results) {
    const double cpus = results.runs.front().context.at("usable_cpus").get<double>();
    return std::max<std::size_t>(1, static_cast<std::size_t>(cpus));
}

Measurements read_measurements(const std::filesystem::path& folder) {
    Measurements measurements{read_results(folder), {}};
    const auto file = folder / allreduce::kFileName;
    if (std::filesystem::exists(file)) measurements.reductions = read_allreduce(file);
    return measurements;
}

}  // namespace

Predictions make_predictions(const Measurements& measurements, const Request& request) {
    const std::vector<RunGroup> groups = group_runs(measurements.results);
    const std::vector<std::string> modes = chosen_modes(groups, request);
    Predictions all;
    all.workers_per_machine =
        request.workers_per_machine.value_or(usable_cpus(measurements.results));
    const std::size_t most = *std::ranges::max_element(request.workers);
    all.most_machines = (most + all.workers_per_machine - 1) / all.workers_per_machine;
    for (const std::string& mode : modes) {
        all.modes.push_back(predict_mode(mode, groups, measurements, all, request));
    }
    return all;
}

void run_predict(const Request& request) {
    const Measurements measurements =
        request.folder.empty() ? calibrate(request) : read_measurements(request.folder);
    const Predictions predictions = make_predictions(measurements, request);
    print_line(format_predictions(predictions, request));
    if (!request.json.empty()) write_json(request.json, to_json(predictions, request));
    if (std::ranges::none_of(predictions.modes, [](const ModePredictions& mode) {
            return mode.predictor.has_value();
        })) {
        throw Error(ExitCode::kUsage, "nothing can be predicted from these results: {}",
                    predictions.modes.front().predictor.reason());
    }
}

}  // namespace dp::experiments::predict
