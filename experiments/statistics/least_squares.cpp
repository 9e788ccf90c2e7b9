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

std::vector<Column> weighted_columns(std::span<const Equation> equations) {
    DP_CHECK(equations.size(), >, 0U);
    std::vector<Column> columns(equations.front().terms.size());
    for (const Equation& equation : equations) {
        DP_CHECK(equation.terms.size(), ==, columns.size());
        for (std::size_t k = 0; k < columns.size(); ++k) {
            columns[k].push_back(equation.terms[k] * equation.weight);
        }
    }
    return columns;
}

/// Fills in the deviation and the standard errors, the roots of sigma^2 (R^T R)^-1's diagonal.
void add_errors(LeastSquares& fit, std::span<const Equation> equations,
                const std::vector<Column>& r) {
    const std::size_t parameters = fit.parameters.size();
    double squares = 0.0;
    for (const Equation& equation : equations) {
        const double residual = (equation.value - fit.value(equation.terms)) * equation.weight;
        squares += residual * residual;
    }
    fit.degrees_of_freedom = equations.size() - parameters;
    fit.residual_deviation = std::sqrt(squares / static_cast<double>(fit.degrees_of_freedom));

    fit.standard_errors.assign(parameters, 0.0);
    for (std::size_t k = 0; k < parameters; ++k) {
        Column unit(parameters, 0.0);
        unit[k] = 1.0;
        const Column inverse = back_substitute(r, std::move(unit));  // of R, column k
        for (std::size_t a = 0; a < parameters; ++a) {
            fit.standard_errors[a] += inverse[a] * inverse[a];
        }
    }
    for (double& error : fit.standard_errors) error = fit.residual_deviation * std::sqrt(error);
}

}  // namespace

double LeastSquares::value(std::span<const double> terms) const { return dot(terms, parameters); }

bool determined(std::span<const Equation> equations) {
    const std::vector<Column> columns = weighted_columns(equations);
    return equations.size() >= columns.size() && factorise(columns).determined;
}

LeastSquares fit_least_squares(std::span<const Equation> equations) {
    const Factors factors = factorise(weighted_columns(equations));
    DP_CHECK(equations.size(), >, factors.q.size());
    DP_CHECK(factors.determined, ==, true);
    Column rest;
    for (const Equation& equation : equations) rest.push_back(equation.value * equation.weight);
    Column projected;
    for (const Column& q : factors.q) {
        const double share = dot(q, rest);
        projected.push_back(share);
        for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= share * q[i];
    }
    LeastSquares fit;
    fit.parameters = back_substitute(factors.r, std::move(projected));
    add_errors(fit, equations, factors.r);
    return fit;
}

}  // namespace dp::experiments::statistics
