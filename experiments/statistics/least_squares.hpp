// Linear least squares with few parameters: what the scaling laws are fitted by.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace dp::experiments::statistics {

/// One equation: sum of terms[k] * parameter k = value, all multiplied by weight. To minimise
/// relative errors, weigh by 1 / value.
struct Equation {
    std::vector<double> terms;
    double value = 0.0;
    double weight = 1.0;
};

struct LeastSquares {
    std::vector<double> parameters;
    std::vector<double> standard_errors;
    double residual_deviation =
        0.0;  // sqrt(sum of squared weighted residuals / degrees_of_freedom)
    std::size_t degrees_of_freedom = 0;  // equations - parameters

    [[nodiscard]] double value(std::span<const double> terms) const;
};

/// True when the equations determine every parameter: no column is a combination of those before
/// it, to a millionth of its length.
bool determined(std::span<const Equation> equations);

/// The parameters that minimise the sum of squared weighted residuals, by Gram-Schmidt
/// orthogonalisation, modified as in Bjorck, "Numerical methods for least squares problems", 1996.
/// Requires determined(equations), more equations than parameters, all terms equally many and
/// finite: CheckFailure.
LeastSquares fit_least_squares(std::span<const Equation> equations);

}  // namespace dp::experiments::statistics
