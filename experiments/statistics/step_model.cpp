#include "experiments/statistics/step_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "experiments/statistics/least_squares.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::statistics {
namespace {

constexpr auto kStepParts = {&StepParts::load, &StepParts::compute, &StepParts::transfer,
                             &StepParts::wait, &StepParts::update,  &StepParts::other};

/// What typical_step() and Trend do not check themselves.
void check_points(std::span<const MeasuredPoint> points) {
    for (const MeasuredPoint& point : points) {
        DP_CHECK(point.batch, >, 0U);
        for (const StepParts& step : point.repetitions) {
            for (const auto part : kStepParts) DP_CHECK(step.*part, >=, 0.0);
            DP_CHECK(step.compute, >, 0.0);
        }
    }
}

/// The slope of a line from (1, at_one) through values of larger N, where they show one.
std::optional<double> shown_slope(double at_one, std::span<const Trend::Value> values) {
    if (values.size() < 2) return std::nullopt;
    std::vector<Equation> equations;
    for (const Trend::Value& value : values) {
        equations.push_back({{static_cast<double>(value.workers) - 1.0}, value.value - at_one});
    }
    const LeastSquares fit = fit_least_squares(equations);
    const double half = student_t95(fit.degrees_of_freedom) * fit.standard_errors[0];
    if (std::abs(fit.parameters[0]) <= half) return std::nullopt;
    return fit.parameters[0];
}

}  // namespace

double StepParts::total() const {
    double sum = 0.0;
    for (const auto part : kStepParts) sum += this->*part;
    return sum;
}

StepParts typical_step(const MeasuredPoint& point) {
    std::vector<double> totals;
    StepParts sum;
    for (const StepParts& step : point.repetitions) {
        totals.push_back(step.total());
        for (const auto part : kStepParts) sum.*part += step.*part;
    }
    const double scale = median(totals) / sum.total();
    for (const auto part : kStepParts) sum.*part *= scale;
    return sum;
}

Trend::Trend(double at_one, std::span<const Value> values)
    : values_{{1, at_one}}, slope_(shown_slope(at_one, values)) {
    for (const Value& value : values) {
        DP_CHECK(value.workers, >, values_.back().workers);
        values_.push_back(value);
    }
    if (slope_ && *slope_ < 0.0) slope_.reset();
}

double Trend::at(std::size_t workers) const {
    DP_CHECK(workers, >, 0U);
    const auto n = static_cast<double>(workers);
    const auto above =
        std::ranges::lower_bound(values_.begin() + 1, values_.end(), workers, {}, &Value::workers);
    if (above == values_.end()) {
        const Value& largest = values_.back();
        return largest.value + slope_.value_or(0.0) * (n - static_cast<double>(largest.workers));
    }
    const Value& below = *std::prev(above);
    const auto low = static_cast<double>(below.workers);
    return std::lerp(below.value, above->value,
                     (n - low) / (static_cast<double>(above->workers) - low));
}

std::string Trend::describe() const {
    if (is_line()) return "linear in N";
    return fmt::format("as at N = {}", values_.back().workers);
}

StepModel::StepModel(const ExchangeModel& exchange, const PredictionSetup& setup,
                     const MeasuredPoint& one, Trend inflation, Trend waiting)
    : exchange_(exchange),
      setup_(setup),
      batch_(one.batch),
      one_(typical_step(one)),
      inflation_(std::move(inflation)),
      waiting_(std::move(waiting)) {}

Outcome<StepModel> StepModel::fit(std::span<const MeasuredPoint> points,
                                  const ExchangeModel& exchange, const PredictionSetup& setup) {
    check_points(points);
    if (points.empty() || points.front().workers != 1) {
        return Outcome<StepModel>::refused("no point of one worker, which all others build on");
    }
    const auto compute_per_image = [](const MeasuredPoint& point, const StepParts& step) {
        return step.compute / static_cast<double>(point.batch);
    };
    const MeasuredPoint& one = points.front();
    const double alone = compute_per_image(one, typical_step(one));
    std::vector<Trend::Value> inflation;
    std::vector<Trend::Value> waiting;
    for (const MeasuredPoint& point : points.subspan(1)) {
        const StepParts step = typical_step(point);
        inflation.push_back({point.workers, compute_per_image(point, step) / alone});
        waiting.push_back({point.workers, step.wait / step.compute});
    }
    return StepModel(exchange, setup, one, Trend(1.0, inflation), Trend(0.0, waiting));
}

StepParts StepModel::step(std::size_t workers, std::size_t batch) const {
    DP_CHECK(batch, >, 0U);
    const double images = static_cast<double>(batch) / static_cast<double>(batch_);
    StepParts step;
    step.load = one_.load * images;
    step.compute = one_.compute * images * inflation_.at(workers);
    step.wait = step.compute * waiting_.at(workers);
    step.transfer = exchange_.predict(workers, setup_.gradient_bytes).seconds;
    step.update = one_.update / (setup_.sliced_update ? static_cast<double>(workers) : 1.0);
    step.other = one_.other;
    return step;
}

double StepModel::seconds_per_image(std::size_t workers) const {
    const StepParts parts = step(workers, 1);
    return parts.load + parts.compute + parts.wait;
}

double StepModel::fixed_seconds(std::size_t workers) const {
    const StepParts parts = step(workers, 1);
    return parts.transfer + parts.update + parts.other;
}

}  // namespace dp::experiments::statistics
