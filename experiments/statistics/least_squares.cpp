#include "experiments/statistics/least_squares.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {
namespace {

using Column = std::vector<double>;

constexpr double kDependent = 1e-6;

double dot(std::span<const double> a, std::span<const double> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double length(std::span<const double> a) { return std::sqrt(dot(a, a)); }

/// Columns of unit length that are orthogonal, and the triangle that makes the given ones of them.
struct Factors {
    std::vector<Column> q;
    std::vector<Column> r;  // r[j][k]: share of q[j] in column k, 0 for k < j
    bool determined = true;
};

Factors factorise(std::vector<Column> columns) {
    Factors factors;
    const std::size_t count = columns.size();
    factors.r.assign(count, Column(count, 0.0));
    Column lengths(count);
    for (std::size_t k = 0; k < count; ++k) lengths[k] = length(columns[k]);
    for (std::size_t j = 0; j < count; ++j) {
        const double rest = length(columns[j]);
        factors.r[j][j] = rest;
        // Negated, so that a column that is no number does not pass.
        if (!(rest > kDependent * lengths[j])) {
            factors.determined = false;
            return factors;
        }
        for (double& value : columns[j]) value /= rest;
        for (std::size_t k = j + 1; k < count; ++k) {
            const double share = dot(columns[j], columns[k]);
            factors.r[j][k] = share;
            for (std::size_t i = 0; i < columns[k].size(); ++i) {
                columns[k][i] -= share * columns[j][i];
            }
        }
    }
    factors.q = std::move(columns);
    return factors;
}

/// Solves r x = y.
Column back_substitute(const std::vector<Column>& r, Column y) {
    for (std::size_t j = y.size(); j-- > 0;) {
        for (std::size_t k = j + 1; k < y.size(); ++k) y[j] -= r[j][k] * y[k];
        y[j] /= r[j][j];
    }
    return y;
}

/// The columns of the parameters that are not held at 0.
std::vector<Column> weighted_columns(std::span<const Equation> equations,
                                     std::span<const std::size_t> free) {
    std::vector<Column> columns(free.size());
    for (std::size_t k = 0; k < free.size(); ++k) {
        for (const Equation& equation : equations) {
            DP_CHECK(equation.terms.size(), ==, equations.front().terms.size());
            columns[k].push_back(equation.terms[free[k]] * equation.weight);
        }
    }
    return columns;
}

std::vector<std::size_t> all_parameters(std::span<const Equation> equations) {
    DP_CHECK(equations.size(), >, 0U);
    std::vector<std::size_t> all(equations.front().terms.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
}

/// Fills in the deviation and the covariance, sigma^2 (R^T R)^-1.
void add_errors(LeastSquares& fit, std::span<const Equation> equations,
                std::span<const std::size_t> free, const std::vector<Column>& r) {
    double squares = 0.0;
    for (const Equation& equation : equations) {
        const double residual = (equation.value - fit.value(equation.terms)) * equation.weight;
        squares += residual * residual;
    }
    fit.degrees_of_freedom = equations.size() - free.size();
    fit.residual_deviation = std::sqrt(squares / static_cast<double>(fit.degrees_of_freedom));

    std::vector<Column> inverse;  // of R, column by column
    for (std::size_t k = 0; k < free.size(); ++k) {
        Column unit(free.size(), 0.0);
        unit[k] = 1.0;
        inverse.push_back(back_substitute(r, std::move(unit)));
    }
    const double variance = fit.residual_deviation * fit.residual_deviation;
    for (std::size_t a = 0; a < free.size(); ++a) {
        for (std::size_t b = 0; b < free.size(); ++b) {
            double sum = 0.0;
            for (const Column& column : inverse) sum += column[a] * column[b];
            fit.covariance[free[a]][free[b]] = variance * sum;
        }
        fit.standard_errors[free[a]] = std::sqrt(fit.covariance[free[a]][free[a]]);
    }
}

LeastSquares fit_free(std::span<const Equation> equations, std::span<const std::size_t> free) {
    DP_CHECK(equations.size(), >, free.size());
    const std::size_t parameters = equations.front().terms.size();
    LeastSquares fit;
    fit.parameters.assign(parameters, 0.0);
    fit.standard_errors.assign(parameters, 0.0);
    fit.covariance.assign(parameters, Column(parameters, 0.0));

    const Factors factors = factorise(weighted_columns(equations, free));
    DP_CHECK(factors.determined, ==, true);
    Column rest;
    for (const Equation& equation : equations) rest.push_back(equation.value * equation.weight);
    Column projected;
    for (const Column& q : factors.q) {
        const double share = dot(q, rest);
        projected.push_back(share);
        for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= share * q[i];
    }
    const Column solved = back_substitute(factors.r, std::move(projected));
    for (std::size_t k = 0; k < free.size(); ++k) fit.parameters[free[k]] = solved[k];
    add_errors(fit, equations, free, factors.r);
    return fit;
}

}  // namespace

double LeastSquares::value(std::span<const double> terms) const { return dot(terms, parameters); }

double LeastSquares::standard_error(std::span<const double> terms) const {
    double variance = 0.0;
    for (std::size_t a = 0; a < terms.size(); ++a) {
        variance += terms[a] * dot(terms, covariance[a]);
    }
    return std::sqrt(std::max(0.0, variance));
}

bool determined(std::span<const Equation> equations) {
    const std::vector<std::size_t> all = all_parameters(equations);
    return equations.size() >= all.size() && factorise(weighted_columns(equations, all)).determined;
}

LeastSquares fit_least_squares(std::span<const Equation> equations) {
    return fit_free(equations, all_parameters(equations));
}

LeastSquares fit_non_negative(std::span<const Equation> equations) {
    const std::vector<std::size_t> all = all_parameters(equations);
    std::optional<LeastSquares> best;
    double least = 0.0;
    for (std::size_t choice = 0; choice < std::size_t{1} << all.size(); ++choice) {
        std::vector<std::size_t> free;
        for (const std::size_t k : all) {
            if ((choice >> k & 1) != 0) free.push_back(k);
        }
        LeastSquares fit = fit_free(equations, free);
        bool negative = false;
        for (const double parameter : fit.parameters) negative = negative || parameter < 0.0;
        if (negative) continue;
        const double squares = fit.residual_deviation * fit.residual_deviation *
                               static_cast<double>(fit.degrees_of_freedom);
        if (!best || squares < least) {
            least = squares;
            best = std::move(fit);
        }
    }
    return *best;  // the choice that holds all at 0 has no negative one
}

}  // namespace dp::experiments::statistics
