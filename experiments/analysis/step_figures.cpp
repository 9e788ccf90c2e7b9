#include "experiments/analysis/step_figures.hpp"

#include <algorithm>

#include "experiments/results/cold_steps.hpp"
#include "experiments/statistics/series.hpp"

namespace dp::experiments::analysis {
namespace {

using Repetitions = std::vector<std::vector<double>>;

std::vector<double> warm_seconds(const Run& run) {
    std::vector<double> seconds = step_seconds(run.result);
    const std::size_t cold = std::min(run.result.cold_steps, seconds.size());
    seconds.erase(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(cold));
    return seconds;
}

std::optional<statistics::Summary> quantile_of(const Repetitions& repetitions, double q,
                                               std::size_t fewest) {
    std::vector<double> values;
    for (const std::vector<double>& steps : repetitions) {
        if (steps.size() < fewest) return std::nullopt;
        values.push_back(statistics::quantile(steps, q));
    }
    return statistics::summarise(values);
}

std::optional<statistics::Summary> autocorrelation_of(const Repetitions& repetitions) {
    std::vector<double> values;
    for (const std::vector<double>& steps : repetitions) {
        const auto value = statistics::lag1_autocorrelation(steps);
        if (!value) return std::nullopt;
        values.push_back(*value);
    }
    return statistics::summarise(values);
}

}  // namespace

std::optional<StepFigures> find_step_figures(std::span<const Run> runs) {
    Repetitions repetitions;
    std::vector<double> cold;
    for (const Run& run : runs) {
        repetitions.push_back(warm_seconds(run));
        cold.push_back(static_cast<double>(run.result.cold_steps));
    }
    if (runs.empty()) return std::nullopt;
    const auto p50 = quantile_of(repetitions, 0.5, 1);
    if (!p50) return std::nullopt;
    StepFigures figures;
    figures.cold = statistics::summarise(cold);
    figures.p50_seconds = *p50;
    figures.p95_seconds = quantile_of(repetitions, 0.95, kFewestForP95);
    figures.p99_seconds = quantile_of(repetitions, 0.99, kFewestForP99);
    figures.autocorrelation = autocorrelation_of(repetitions);
    for (const auto& steps : repetitions) {
        figures.seconds.insert(figures.seconds.end(), steps.begin(), steps.end());
    }
    std::ranges::sort(figures.seconds);
    return figures;
}

}  // namespace dp::experiments::analysis
