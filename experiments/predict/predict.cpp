#include "experiments/predict/predict.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/allreduce/benchmark.hpp"
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
using statistics::Outcome;
using statistics::Prediction;
using statistics::Predictor;

/// Those of the modes asked for; without any, of all.
std::vector<const ModeModels*> chosen_models(const Analysis& analysis, const Request& request) {
    const auto& offered = analysis.models;
    if (offered.empty()) {
        throw Error(ExitCode::kUsage, "the results hold no mode that exchanges: measure --mode {}",
                    core::join(modes_that(&Mode::exchanges), ","));
    }
    std::vector<const ModeModels*> chosen;
    for (const std::string& mode : request.modes) {
        const std::size_t others = chosen.size();
        for (const ModeModels& models : offered) {
            if (mode_of(models.design).name == mode) chosen.push_back(&models);
        }
        if (chosen.size() == others) {
            throw Error(ExitCode::kUsage, "--mode {}: the results hold no such runs that exchange",
                        mode);
        }
    }
    if (chosen.empty()) {
        for (const ModeModels& models : offered) chosen.push_back(&models);
    }
    return chosen;
}

/// Why the exchange of `models` has no model, and what to measure.
std::string exchange_refused(const ModeModels& models, const Analysis& analysis) {
    const Mode& mode = mode_of(models.design);
    if (mode.has_teams || !mode.timed_alone) return models.exchange.reason();  // and none helps
    const std::string folder = analysis.results.folder.string();
    const std::string command =
        fmt::format("dp_compare allreduce --mode {} --reduction {} -n {} --out {}", mode.name,
                    models.reduction, models.points.back().workers, folder);
    if (analysis.allreduce.empty()) {
        return fmt::format("{}/{} is missing: measure it with {}", folder, allreduce::kFileName,
                           command);
    }
    return fmt::format("{}; measure it anew with {} --force", models.exchange.reason(), command);
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

ModePredictions predict_mode(const ModeModels& models, const Analysis& analysis,
                             const Predictions& all, const Request& request) {
    ModePredictions mode{models.design, models.reduction, models.gradient_bytes,
                         models.points, models.exchange,  models.predictor};
    const auto refuse = [&](const std::string& reason) {
        mode.predictor = Outcome<Predictor>::refused(reason);
        return mode;
    };
    if (models.points.empty()) return refuse("every N is oversubscribed");
    if (models.points.size() < 2) {
        return refuse(fmt::format(
            "N = {} alone says nothing of other N: measure -n 1 and another that has a CPU for "
            "each worker",
            models.points.front().workers));
    }
    const Configuration& largest = *analysis.find(models.design, models.points.back().workers);
    if (largest.runs.front().settings.config.shards) return refuse(models.predictor.reason());
    if (!models.exchange) return refuse(exchange_refused(models, analysis));
    mode.batch = request.batch_size.value_or(models.points.back().batch);
    if (mode.predictor) predict_mode(mode, all, request);
    return mode;
}

std::size_t usable_cpus(const ResultsFolder& results) {
    const double cpus = results.runs.front().context.at("usable_cpus").get<double>();
    return std::max<std::size_t>(1, static_cast<std::size_t>(cpus));
}

}  // namespace

Predictions make_predictions(const Analysis& analysis, const Request& request) {
    Predictions all;
    all.workers_per_machine = request.workers_per_machine.value_or(usable_cpus(analysis.results));
    const std::size_t most = *std::ranges::max_element(request.workers);
    all.most_machines = (most + all.workers_per_machine - 1) / all.workers_per_machine;
    for (const ModeModels* models : chosen_models(analysis, request)) {
        all.modes.push_back(predict_mode(*models, analysis, all, request));
    }
    return all;
}

void run_predict(const Request& request) {
    const Analysis analysis = request.folder.empty() ? calibrate(request) : analyse(request.folder);
    const Predictions predictions = make_predictions(analysis, request);
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
