#include "experiments/statistics/exchange_model.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "experiments/statistics/pairs.hpp"

namespace dp::experiments::statistics {
namespace {

constexpr std::size_t kFewestRows = 3;  // one more than alpha and beta

std::vector<double> terms_of(const ExchangeCosts& costs, std::size_t ranks, double bytes,
                             bool with_gamma) {
    const ExchangeCounts counts = counts_of(costs, ranks, bytes);
    std::vector<double> terms{counts.signals, counts.moved_bytes};
    if (with_gamma) terms.push_back(counts.added_bytes);
    return terms;
}

std::vector<Equation> equations_of(const ExchangeCosts& costs, std::span<const ExchangeTime> rows,
                                   bool with_gamma) {
    std::vector<Equation> equations;
    for (const ExchangeTime& row : rows) {
        equations.push_back(
            {terms_of(costs, row.ranks, row.bytes, with_gamma), row.seconds, 1.0 / row.seconds});
    }
    return equations;
}

void check_row(const ExchangeTime& row) {
    DP_CHECK(row.ranks, >=, 2U);
    DP_CHECK(std::isfinite(row.bytes) && row.bytes > 0.0, ==, true);
    DP_CHECK(std::isfinite(row.seconds) && row.seconds > 0.0, ==, true);
}

}  // namespace

ExchangeCounts counts_of(const ExchangeCosts& costs, std::size_t ranks, double bytes) {
    DP_CHECK(ranks, >, 0U);
    if (ranks == 1) return {};
    const auto p = static_cast<double>(ranks);
    const double added = costs.added_per_byte == nullptr ? (p - 1.0) / p : costs.added_per_byte(p);
    return {costs.signals(p), costs.moved_per_byte(p) * bytes, added * bytes};
}

Outcome<ExchangeModel> ExchangeModel::calibrate(const ExchangeCosts& costs,
                                                std::span<const ExchangeTime> rows) {
    std::ranges::for_each(rows, check_row);
    if (rows.size() < kFewestRows) {
        return Outcome<ExchangeModel>::refused(
            fmt::format("not enough rows: the model of {} needs {}, has {}", costs.reduction,
                        kFewestRows, rows.size()));
    }
    std::vector<Equation> equations = equations_of(costs, rows, true);
    if (rows.size() == kFewestRows || !determined(equations)) {
        equations = equations_of(costs, rows, false);
    }
    if (!determined(equations)) {
        return Outcome<ExchangeModel>::refused(
            fmt::format("not enough sizes: the model of {} cannot tell latency from bandwidth",
                        costs.reduction));
    }
    return ExchangeModel(costs, fit_non_negative(equations), rows.size());
}

std::optional<double> ExchangeModel::gamma_seconds_per_byte() const {
    if (fit_.parameters.size() < 3) return std::nullopt;
    return fit_.parameters[2];
}

PredictedSeconds ExchangeModel::predict(std::size_t ranks, double bytes) const {
    if (ranks == 1) return {};
    const std::vector<double> terms = terms_of(costs_, ranks, bytes, fit_.parameters.size() == 3);
    const double seconds = fit_.value(terms);
    if (seconds <= 0.0) return {};  // nothing to send, and a latency that came out as 0
    // fit_'s deviation is relative, its parameters' errors are in seconds.
    const double relative =
        std::hypot(fit_.residual_deviation, fit_.standard_error(terms) / seconds);
    const double factor = std::exp(student_t95(fit_.degrees_of_freedom) * relative);
    return {seconds, {seconds / factor, seconds * factor}};
}

double network_ring_seconds(const Network& network, std::size_t machines, double bytes) {
    DP_CHECK(machines, >, 0U);
    DP_CHECK(network.bytes_per_second, >, 0.0);
    DP_CHECK(network.latency_seconds, >=, 0.0);
    const auto m = static_cast<double>(machines);
    return 2.0 * (m - 1.0) * (network.latency_seconds + bytes / (m * network.bytes_per_second));
}

}  // namespace dp::experiments::statistics
