#include "experiments/analysis/models.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "experiments/allreduce/reductions.hpp"
#include "experiments/analysis/analysis.hpp"
#include "experiments/analysis/scaling_input.hpp"

namespace dp::experiments::analysis {
namespace {

using namespace statistics;

constexpr std::size_t kMostPredicted = 64;

std::vector<Point> speedups(std::span<const Configuration* const> configurations) {
    std::vector<Point> points;
    for (const Configuration* each : configurations) {
        if (each->scaling) points.push_back({each->workers, each->scaling->speedup.median});
    }
    return points;
}

Outcome<ExchangeModel> calibrate(const std::string& reduction, const std::string& mode,
                                 double gradient_bytes, std::span<const allreduce::Row> rows) {
    if (rows.empty()) {
        return Outcome<ExchangeModel>::refused(
            "no allreduce.json in the folder: dp_compare allreduce --out writes it");
    }
    return allreduce::calibrate(mode, reduction,
                                exchange_times(rows, mode, reduction, gradient_bytes));
}

void predict(ModeModels& models, std::size_t largest, std::size_t batch) {
    const Predictor& predictor = *models.predictor;
    for (std::size_t workers = 2 * largest; workers <= kMostPredicted; workers *= 2) {
        models.predictions.push_back(predictor.predict(workers, batch));
    }
    for (std::size_t workers = 2; workers <= kMostPredicted; workers *= 2) {
        models.isoefficiency.push_back(
            {workers, workers <= largest,
             batch_for_efficiency(predictor.model(), workers, kTargetEfficiency, batch)});
    }
}

}  // namespace

ModeModels fit_models(const std::string& mode, std::span<const Configuration* const> configurations,
                      bool weak, std::span<const allreduce::Row> rows) {
    const std::string none = "no configuration that is not oversubscribed";
    ModeModels models{mode, Outcome<ExchangeModel>::refused(none),
                      Outcome<Predictor>::refused(none)};
    std::vector<const Configuration*> fair;
    for (const Configuration* each : configurations) {
        if (!each->oversubscribed && !each->settings.empty() && each->images_per_second &&
            (fair.empty() || fair.front()->settings == each->settings)) {
            fair.push_back(each);
        }
    }
    const std::vector<Point> points = speedups(fair);
    for (const Law law : {weak ? Law::kGustafson : Law::kAmdahl, Law::kUniversal}) {
        models.laws.push_back({law, fit_law(law, points)});
    }
    if (fair.empty()) return models;

    const Run& largest = fair.back()->runs.front();
    const PredictionSetup setup = prediction_setup(largest);
    for (const Configuration* each : fair) models.points.push_back(measured_point(each->runs));
    models.reduction = largest.result.reduction;
    models.gradient_bytes = setup.gradient_bytes;
    models.exchange = calibrate(models.reduction, largest.mode(), setup.gradient_bytes, rows);
    if (largest.settings.config.shards) {
        models.predictor = Outcome<Predictor>::refused(
            "with --shards a worker's step is several batches, which the model does not know: "
            "measure without");
        return models;
    }
    models.predictor =
        models.exchange
            ? Predictor::make(models.points, *models.exchange, setup)
            : Outcome<Predictor>::refused("no exchange model: " + models.exchange.reason());
    if (models.predictor) predict(models, largest.workers(), largest.settings.config.batch_size);
    return models;
}

}  // namespace dp::experiments::analysis
