#include "experiments/statistics/prediction.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {
namespace {

constexpr std::array kParts{&StepParts::load, &StepParts::compute, &StepParts::transfer,
                            &StepParts::wait, &StepParts::update,  &StepParts::other};

/// What multiplies the part's rate with `workers`; 0 for the transfer of one.
double factor_of(double StepParts::*part, std::size_t workers, const PredictionSetup& setup) {
    const auto n = static_cast<double>(workers);
    if (part == &StepParts::transfer) return workers == 1 ? 0.0 : setup.sent_per_byte(n);
    return part == &StepParts::update && setup.sliced_update ? 1.0 / n : 1.0;
}

/// How the part's rate rises with each worker, at worst.
double slope_of(const Repetition& points, double StepParts::*part, const PredictionSetup& setup) {
    const auto rate = [&](const MeasuredStep& point) {
        return point.parts.*part / factor_of(part, point.workers, setup);
    };
    if (part == &StepParts::transfer) {
        return rate(points.back()) / static_cast<double>(points.back().workers);
    }
    double products = 0.0;
    double squares = 0.0;
    for (const MeasuredStep& point : points) {
        const double further = static_cast<double>(point.workers) - 1.0;
        products += further * (rate(point) - rate(points.front()));
        squares += further * further;
    }
    return std::max(0.0, products / squares);
}

/// A step beyond the largest N of `points`.
double step_of(const Repetition& points, std::size_t workers, const PredictionSetup& setup,
               bool at_worst) {
    double seconds = 0.0;
    for (const auto part : kParts) {
        const auto& [last, parts] = points.back();
        double rate = parts.*part / factor_of(part, last, setup);
        if (part != &StepParts::transfer) rate = std::max(rate, points.front().parts.*part);
        if (at_worst) {
            rate += slope_of(points, part, setup) * static_cast<double>(workers - last);
        }
        seconds += rate * factor_of(part, workers, setup);
    }
    return seconds;
}

double one_worker(const Repetition& points) { return points.front().parts.total(); }

Interval interval_of(const std::vector<double>& values) { return *summarise(values).interval; }

/// `figure` of a repetition and its predicted step; it rises with the step or falls with it.
PredictedFigure figure_of(const std::vector<Repetition>& repetitions, std::size_t workers,
                          const PredictionSetup& setup, const auto& figure) {
    std::vector<double> best, middle, worst;
    for (const Repetition& points : repetitions) {
        const double fast = step_of(points, workers, setup, false);
        const double slow = step_of(points, workers, setup, true);
        best.push_back(figure(points, fast));
        middle.push_back(figure(points, (fast + slow) / 2.0));
        worst.push_back(figure(points, slow));
    }
    const Interval of_best = interval_of(best);
    const Interval of_worst = interval_of(worst);
    const bool within = workers <= 2 * repetitions.front().back().workers;
    return {within ? std::optional(median(middle)) : std::nullopt,
            {std::min(of_best.low, of_worst.low), std::max(of_best.high, of_worst.high)}};
}

/// Why nothing can be predicted from `repetitions`; empty where it can.
std::string reason_against(const std::vector<Repetition>& repetitions) {
    if (repetitions.size() < 2) {
        return fmt::format("it needs two repetitions of every N, has {}", repetitions.size());
    }
    if (repetitions.front().size() < 2 || repetitions.front().front().workers != 1) {
        return "it needs N = 1 and another that has a CPU for each worker";
    }
    return {};
}

void check_repetitions(const std::vector<Repetition>& repetitions) {
    for (const Repetition& points : repetitions) {
        DP_CHECK(points.size(), ==, repetitions.front().size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            DP_CHECK(points[i].workers, ==, repetitions.front()[i].workers);
            if (i > 0) DP_CHECK(points[i].workers, >, points[i - 1].workers);
            for (const auto part : kParts) {
                DP_CHECK(std::isfinite(points[i].parts.*part) && points[i].parts.*part >= 0.0, ==,
                         true);
            }
            DP_CHECK(points[i].parts.compute, >, 0.0);
        }
    }
}

}  // namespace

double StepParts::total() const {
    double sum = 0.0;
    for (const auto part : kParts) sum += this->*part;
    return sum;
}

bool PredictionCheck::fails() const {
    return std::abs(*predicted.step_seconds.middle - measured_seconds) > std::abs(lost_seconds);
}

Outcome<Predictor> Predictor::make(std::vector<Repetition> repetitions,
                                   const PredictionSetup& setup) {
    const std::string reason = reason_against(repetitions);
    if (!reason.empty()) return Outcome<Predictor>::refused(reason);
    check_repetitions(repetitions);
    Predictor predictor(std::move(repetitions), setup);
    const auto checks = predictor.checks();
    if (!checks.empty() && checks.back().fails()) {
        const PredictionCheck& check = checks.back();
        return Outcome<Predictor>::refused(fmt::format(
            "for N = {} the smaller N predict a step of {:.3g} ms; measured are {:.3g} ms, and "
            "the error is more than the {:.3g} ms that the step lost against one worker",
            check.predicted.workers, 1e3 * *check.predicted.step_seconds.middle,
            1e3 * check.measured_seconds, 1e3 * check.lost_seconds));
    }
    return predictor;
}

std::vector<PredictionCheck> Predictor::checks() const {
    std::vector<PredictionCheck> checks;
    const Repetition& all = repetitions_.front();
    for (std::size_t i = 2; i < all.size(); ++i) {
        if (all[i].workers > 2 * all[i - 1].workers) continue;
        std::vector<Repetition> below;
        std::vector<double> seconds, lost;
        for (const Repetition& points : repetitions_) {
            below.emplace_back(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(i));
            seconds.push_back(points[i].parts.total());
            lost.push_back(seconds.back() - one_worker(points));
        }
        checks.push_back({Predictor(std::move(below), setup_).predict(all[i].workers),
                          median(seconds), median(lost)});
    }
    return checks;
}

Prediction Predictor::predict(std::size_t workers) const {
    DP_CHECK(workers, >, largest());
    const auto n = static_cast<double>(workers);
    const auto figure = [&](const auto& of) {
        return figure_of(repetitions_, workers, setup_, of);
    };
    Prediction result;
    result.workers = workers;
    result.step_seconds = figure([](const Repetition&, double step) { return step; });
    result.images_per_second = figure([&](const Repetition&, double step) {
        return n * static_cast<double>(setup_.batch) / step;
    });
    result.efficiency =
        figure([](const Repetition& points, double step) { return one_worker(points) / step; });
    result.speedup = figure(
        [&](const Repetition& points, double step) { return n * one_worker(points) / step; });
    if (setup_.held_bytes > 0.0) {
        result.memory_bytes_per_second =
            2.0 * n * setup_.held_bytes / result.step_seconds.range.low;
    }
    return result;
}

}  // namespace dp::experiments::statistics
