// How a run scales with its workers: speedup, efficiency, Karp-Flatt's serial fraction, and the
// laws that are fitted to speedups. All are pure functions; speedups must be finite and above 0,
// workers at least 1 (CheckFailure).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "experiments/statistics/outcome.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

struct Scaling {
    Summary speedup;                    // T(1) / T(N)
    Summary efficiency;                 // speedup / N
    std::optional<Summary> karp_flatt;  // none for N = 1
};

/// Of repetitions, each with one worker and with `workers`, in seconds for equal work: per epoch of
/// equal images, or per image. Each repetition has a ratio of its own, since both of its runs met
/// the same machine; summarised are those. Requires equally many of both, at least one, all above
/// 0: CheckFailure.
Scaling scaling_of(std::span<const double> one_worker_seconds, std::span<const double> seconds,
                   std::size_t workers);

/// The serial fraction that would explain `speedup` by Amdahl's law: (1/S - 1/N) / (1 - 1/N). Grows
/// with N where overhead does; below 0 for a superlinear speedup. Source: Karp and Flatt,
/// "Measuring parallel processor performance", 1990. Requires workers > 1.
double karp_flatt(double speedup, std::size_t workers);

struct Point {
    std::size_t workers = 1;
    double speedup = 1.0;
};

enum class Law { kAmdahl, kGustafson, kUniversal };

struct LawRow {
    Law law;
    std::string_view name;
    std::string_view formula;
    std::size_t parameters;
    std::string_view source;
};

inline constexpr std::array<LawRow, 3> kLaws{{
    {Law::kAmdahl, "Amdahl", "S = N / (1 + serial (N-1))", 1,
     "Amdahl, \"Validity of the single processor approach\", 1967"},
    {Law::kGustafson, "Gustafson", "S = N - serial (N-1)", 1,
     "Gustafson, \"Reevaluating Amdahl's law\", 1988"},
    {Law::kUniversal, "Universal Scalability Law", "S = N / (1 + sigma (N-1) + kappa N (N-1))", 2,
     "Gunther, \"Guerrilla Capacity Planning\", 2007"},
}};

const LawRow& row_of(Law law);

struct Estimate {
    double value = 0.0;
    double standard_error = 0.0;
    Interval interval95;  // Student's t
};

struct LawFit {
    Law law = Law::kAmdahl;
    /// The serial fraction of Amdahl and Gustafson, the contention sigma of the USL. Not confined
    /// to [0, 1]: below 0 it tells of superlinear speedups.
    Estimate serial;
    std::optional<Estimate> coherence;  // kappa of the USL: what each pair of workers costs
    /// Workers beyond which more are slower, sqrt((1 - sigma) / kappa); only where kappa's interval
    /// lies above 0, so that there is a peak at all.
    std::optional<double> peak_workers;
    double speedup_deviation = 0.0;  // residual standard error, in speedup
    std::size_t points = 0;          // that the fit is made of

    [[nodiscard]] double speedup(double workers) const;
};

/// Least squares in the form in which the law is linear in its parameters and the points' errors
/// are about equal, namely N/S - 1 for Amdahl and the USL and 1 - S/N for Gustafson.
///
/// N = 1 is no measurement, S(1) = 1 by definition, and every law goes through it: such points are
/// ignored. Refused unless more different N above 1 were measured than the law has parameters: as
/// many would be met exactly, whatever the truth. So two points, N = 1 and another, fit nothing.
Outcome<LawFit> fit_law(Law law, std::span<const Point> points);

}  // namespace dp::experiments::statistics
