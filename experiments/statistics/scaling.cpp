#include "experiments/statistics/scaling.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "experiments/statistics/least_squares.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::statistics {
namespace {

/// The law as an equation that is linear in its parameters.
Equation equation_of(Law law, const Point& point) {
    const auto n = static_cast<double>(point.workers);
    switch (law) {
        case Law::kAmdahl:
            return {{n - 1.0}, n / point.speedup - 1.0};
        case Law::kGustafson:
            return {{(n - 1.0) / n}, 1.0 - point.speedup / n};
        case Law::kUniversal:
            return {{n - 1.0, n * (n - 1.0)}, n / point.speedup - 1.0};
    }
    DP_CHECK(static_cast<int>(law), ==, -1);
    return {};
}

Estimate estimate(const LeastSquares& fit, std::size_t parameter) {
    const double value = fit.parameters[parameter];
    const double error = fit.standard_errors[parameter];
    const double half = student_t95(fit.degrees_of_freedom) * error;
    return {value, error, {value - half, value + half}};
}

/// Not where kappa is 0 to the last digits, which is what rounding leaves of a law without it.
std::optional<double> peak(const LawFit& fit, std::size_t most_workers) {
    if (!fit.coherence || fit.coherence->interval95.low <= 0.0 || fit.serial.value >= 1.0) {
        return std::nullopt;
    }
    const auto n = static_cast<double>(most_workers);
    if (fit.coherence->value * n * n < 1e-9) return std::nullopt;
    return std::sqrt((1.0 - fit.serial.value) / fit.coherence->value);
}

}  // namespace

const LawRow& row_of(Law law) { return *std::ranges::find(kLaws, law, &LawRow::law); }

double karp_flatt(double speedup, std::size_t workers) {
    DP_CHECK(workers, >, 1U);
    DP_CHECK(std::isfinite(speedup) && speedup > 0.0, ==, true);
    const double share = 1.0 / static_cast<double>(workers);
    return (1.0 / speedup - share) / (1.0 - share);
}

Scaling scaling_of(std::span<const double> one_worker_seconds, std::span<const double> seconds,
                   std::size_t workers) {
    DP_CHECK(workers, >, 0U);
    DP_CHECK(seconds.size(), ==, one_worker_seconds.size());
    std::vector<double> speedups;
    std::vector<double> serial_fractions;
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        DP_CHECK(seconds[i], >, 0.0);
        const double speedup = one_worker_seconds[i] / seconds[i];
        speedups.push_back(speedup);
        if (workers > 1) serial_fractions.push_back(karp_flatt(speedup, workers));
    }
    Scaling scaling;
    scaling.speedup = summarise(speedups);
    scaling.efficiency = scaled(scaling.speedup, 1.0 / static_cast<double>(workers));
    if (workers > 1) scaling.karp_flatt = summarise(serial_fractions);
    return scaling;
}

double LawFit::speedup(double workers) const {
    if (law == Law::kGustafson) return workers - serial.value * (workers - 1.0);
    const double pairs = coherence ? coherence->value * workers * (workers - 1.0) : 0.0;
    return workers / (1.0 + serial.value * (workers - 1.0) + pairs);
}

Outcome<LawFit> fit_law(Law law, std::span<const Point> points) {
    std::vector<Equation> equations;
    std::set<std::size_t> different;
    for (const Point& point : points) {
        DP_CHECK(point.workers, >, 0U);
        DP_CHECK(std::isfinite(point.speedup) && point.speedup > 0.0, ==, true);
        if (point.workers == 1) continue;
        equations.push_back(equation_of(law, point));
        different.insert(point.workers);
    }
    const LawRow& row = row_of(law);
    if (different.size() <= row.parameters) {
        return Outcome<LawFit>::refused(
            fmt::format("not enough points: {} needs {} different N above 1, has {}", row.name,
                        row.parameters + 1, different.size()));
    }

    const LeastSquares solved = fit_least_squares(equations);
    LawFit fit;
    fit.law = law;
    fit.serial = estimate(solved, 0);
    if (row.parameters > 1) fit.coherence = estimate(solved, 1);
    fit.points = equations.size();
    fit.peak_workers = peak(fit, *different.rbegin());
    double squares = 0.0;
    for (const Point& point : points) {
        const double missed = point.speedup - fit.speedup(static_cast<double>(point.workers));
        if (point.workers > 1) squares += missed * missed;
    }
    fit.speedup_deviation = std::sqrt(squares / static_cast<double>(solved.degrees_of_freedom));
    return fit;
}

}  // namespace dp::experiments::statistics
