#include "experiments/statistics/prediction.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "experiments/statistics/pairs.hpp"
#include "experiments/statistics/permutation.hpp"

namespace dp::experiments::statistics {
namespace {

constexpr std::size_t kResampledModels = 1000;
constexpr double kNormal95 = 1.96;

std::size_t fewest_repetitions(std::span<const MeasuredPoint> points) {
    return std::ranges::min(points, {},
                            [](const MeasuredPoint& point) { return point.repetitions.size(); })
        .repetitions.size();
}

std::vector<StepModel> resample(std::span<const MeasuredPoint> points,
                                const ExchangeModel& exchange, const PredictionSetup& setup) {
    Resampler resampler;
    std::vector<MeasuredPoint> drawn(points.begin(), points.end());
    std::vector<StepModel> models;
    for (std::size_t i = 0; i < kResampledModels; ++i) {
        for (std::size_t k = 0; k < points.size(); ++k) {
            const auto& repetitions = points[k].repetitions;
            for (StepParts& step : drawn[k].repetitions) {
                step = repetitions[resampler.index(repetitions.size())];
            }
        }
        models.push_back(*StepModel::fit(drawn, exchange, setup));
    }
    return models;
}

double doublings(std::size_t from, std::size_t to) {
    return std::log2(static_cast<double>(to) / static_cast<double>(from));
}

HeldOut hold_out(std::span<const MeasuredPoint> points, const ExchangeModel& exchange,
                 const PredictionSetup& setup) {
    const MeasuredPoint& last = points.back();
    const auto without = StepModel::fit(points.first(points.size() - 1), exchange, setup);
    HeldOut result;
    result.workers = last.workers;
    result.predicted_seconds = without->step(last.workers, last.batch).total();
    result.measured_seconds = typical_step(last).total();
    result.relative_error = result.predicted_seconds / result.measured_seconds - 1.0;
    return result;
}

double deviation(std::span<const double> values) {
    double sum = 0.0;
    for (const double value : values) sum += value;
    const auto n = static_cast<double>(values.size());
    double squares = 0.0;
    for (const double value : values) squares += (value - sum / n) * (value - sum / n);
    return std::sqrt(squares / (n - 1.0));
}

}  // namespace

Outcome<Predictor> Predictor::make(std::span<const MeasuredPoint> points,
                                   const ExchangeModel& exchange, const PredictionSetup& setup) {
    if (points.size() < 2) {
        return Outcome<Predictor>::refused(fmt::format(
            "not enough points: a prediction needs N = 1 and another, has {}", points.size()));
    }
    const std::size_t fewest = fewest_repetitions(points);
    if (fewest < 2) {
        return Outcome<Predictor>::refused(
            fmt::format("not enough repetitions: a prediction needs 2 of every N, has {}", fewest));
    }
    const auto model = StepModel::fit(points, exchange, setup);
    if (!model) return Outcome<Predictor>::refused(model.reason());

    Predictor predictor(*model, hold_out(points, exchange, setup),
                        resample(points, exchange, setup));
    const auto n = static_cast<double>(fewest);
    predictor.bootstrap_factor_ = student_t95(fewest - 1) * std::sqrt(n / (n - 1.0));
    predictor.check_doublings_ =
        doublings(points[points.size() - 2].workers, points.back().workers);
    predictor.gradient_bytes_ = setup.gradient_bytes;
    return predictor;
}

std::string Predictor::assumption() const {
    return fmt::format(
        "every further worker has a core like those measured; compute inflation {}, waiting {}",
        model_.inflation().describe(), model_.waiting().describe());
}

double Predictor::log_half_width(const StepParts& step, std::size_t workers,
                                 std::size_t batch) const {
    std::vector<double> logs;
    for (const StepModel& model : resampled_) {
        logs.push_back(std::log(model.step(workers, batch).total()));
    }
    const double of_repetitions = bootstrap_factor_ * deviation(logs);
    if (workers == 1) return of_repetitions;  // measured: no exchange, nothing extrapolated

    const PredictedSeconds exchange = model_.exchange().predict(workers, gradient_bytes_);
    const double of_exchange = (exchange.interval95.high - exchange.seconds) / step.total();
    const double reach = std::max(1.0, doublings(held_out_.workers, workers) / check_doublings_);
    const double of_model = kNormal95 * reach * std::abs(std::log1p(held_out_.relative_error));
    return std::hypot(of_repetitions, of_exchange, of_model);
}

Prediction Predictor::predict(std::size_t workers, std::size_t batch) const {
    return predict(workers, batch, 1, {0.0, 1.0});
}

Prediction Predictor::predict(std::size_t workers, std::size_t batch, std::size_t machines,
                              const Network& network) const {
    const StepParts step = model_.step(workers, batch);
    const double between = network_ring_seconds(network, machines, gradient_bytes_);
    const double inside = step.total();
    const double factor = std::exp(log_half_width(step, workers, batch));
    Prediction result;
    result.workers = workers;
    result.machines = machines;
    result.step = {inside + between, {inside / factor + between, inside * factor + between}};
    const auto all = static_cast<double>(workers * machines);
    result.images_per_second = all * static_cast<double>(batch) / result.step.seconds;
    result.efficiency = model_.step(1, batch).total() / result.step.seconds;
    result.speedup = result.efficiency * all;
    return result;
}

std::optional<std::size_t> machines_that_pay(const Predictor& predictor, std::size_t workers,
                                             std::size_t batch, const Network& network,
                                             std::size_t most) {
    const double one = predictor.predict(workers, batch).images_per_second;
    for (std::size_t machines = 2; machines <= most; ++machines) {
        if (predictor.predict(workers, batch, machines, network).images_per_second > one) {
            return machines;
        }
    }
    return std::nullopt;
}

}  // namespace dp::experiments::statistics
