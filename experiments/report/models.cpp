#include "experiments/report/models.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "experiments/report/analysis.hpp"

namespace dp::experiments::report {
namespace {

using namespace statistics;

constexpr std::size_t kMostPredicted = 64;

std::vector<Point> speedups(std::span<const Configuration* const> configurations) {
    std::vector<Point> points;
    for (const Configuration* each : configurations) {
        if (each->scaling) points.push_back({each->workers, each->scaling->speedup.value});
    }
    return points;
}

Outcome<ExchangeModel> calibrate(const std::string& reduction, const std::string& mode,
                                 std::span<const allreduce::Row> rows) {
    if (rows.empty()) {
        return Outcome<ExchangeModel>::refused(
            "no allreduce.json in the folder: dp_compare allreduce --out writes it");
    }
    std::vector<ExchangeTime> times;
    for (const allreduce::Row& row : rows) {
        if (row.mode != mode || row.reduction != reduction || row.workers < 2) continue;
        if (row.oversubscribed || row.wrong != 0 || row.time.median_us <= 0.0) continue;
        times.push_back({row.workers, static_cast<double>(row.bytes), row.time.median_us * 1e-6});
    }
    return ExchangeModel::calibrate(reduction, times);
}

std::vector<MeasuredPoint> measured_points(std::span<const Configuration* const> configurations) {
    std::vector<MeasuredPoint> points;
    for (const Configuration* each : configurations) {
        MeasuredPoint point{each->workers, each->runs.front().batch_size, {}};
        for (const StoredRun& run : each->runs) {
            if (run.result.steps_per_epoch != 0)
                point.repetitions.push_back(step_parts(run.result));
        }
        points.push_back(std::move(point));
    }
    return points;
}

PredictionSetup setup_of(const core::RunResult& result) {
    double gradients = 0.0;
    for (const core::WorkerReport& worker : result.workers) {
        gradients = std::max(gradients, static_cast<double>(worker.memory.gradients_bytes));
    }
    return {gradients, result.update_kind == "sliced"};
}

void predict(ModeModels& models, std::size_t largest, std::size_t batch) {
    const Predictor& predictor = *models.predictor;
    for (std::size_t workers = 2 * largest; workers <= kMostPredicted; workers *= 2) {
        models.predictions.push_back(predictor.predict(workers, batch));
    }
    for (std::size_t workers = 2; workers <= kMostPredicted; workers *= 2) {
        models.isoefficiency.push_back(
            {workers, workers <= largest,
             batch_for_efficiency(predictor.model(), workers, kTargetEfficiency)});
    }
}

}  // namespace

ModeModels fit_models(const std::string& mode, std::span<const Configuration* const> configurations,
                      bool weak, std::span<const allreduce::Row> rows) {
    const std::string none = "no configuration that is not oversubscribed";
    ModeModels models{
        mode, {}, Outcome<ExchangeModel>::refused(none), Outcome<Predictor>::refused(none), {}, {}};
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

    const Configuration& largest = *fair.back();
    const core::RunResult& result = largest.runs.front().result;
    models.exchange = calibrate(result.reduction, mode, rows);
    models.predictor =
        models.exchange
            ? Predictor::make(measured_points(fair), *models.exchange, setup_of(result))
            : Outcome<Predictor>::refused("no exchange model: " + models.exchange.reason());
    if (models.predictor) predict(models, largest.workers, largest.runs.front().batch_size);
    return models;
}

}  // namespace dp::experiments::report
