// What an exchange costs by alpha, beta and gamma: alpha seconds for each message or counter that a
// rank waits for in turn, beta for each byte it loads or stores, gamma for each byte it adds.
// Source: Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in
// MPICH", 2005. Counts of a reduction are those of its row (ExchangeTraits), which the caller
// passes; alpha, beta and gamma are calibrated for each reduction from the program's own all-reduce
// benchmark.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "experiments/statistics/least_squares.hpp"
#include "experiments/statistics/outcome.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

/// Of one rank, one bucket and one exchange.
struct ExchangeCounts {
    double signals = 0.0;      // counters of others that it reads in turn
    double moved_bytes = 0.0;  // loads and stores of gradients
    double added_bytes = 0.0;  // of other ranks', added to its own
};

/// What a reduction costs one rank, as its row states it.
struct ExchangeCosts {
    std::string_view reduction;
    double (*signals)(double ranks) = nullptr;
    double (*moved_per_byte)(double ranks) = nullptr;
    double (*added_per_byte)(double ranks) = nullptr;  // null: (P-1)/P
};

/// Counts of a reduction for `ranks` and `bytes` of gradients; all 0 for one rank.
ExchangeCounts counts_of(const ExchangeCosts& costs, std::size_t ranks, double bytes);

/// A row of the all-reduce benchmark: right sums only, and none oversubscribed.
struct ExchangeTime {
    std::size_t ranks = 2;
    double bytes = 0.0;
    double seconds = 0.0;
};

/// Seconds, and where single measurements are expected, at 95 %.
struct PredictedSeconds {
    double seconds = 0.0;
    Interval interval95;
};

/// Calibrated for one reduction on one machine. As all such models it knows one memory: times of
/// sizes that fit a cache and of those that do not deviate to either side.
class ExchangeModel {
public:
    /// By non-negative least squares of the relative errors, so that small exchanges count as much
    /// as large ones. Refused with fewer than 3 rows, and where all rows have one size and one
    /// number of ranks. gamma is left out, and its cost is
    /// part of beta, where the rows do not tell added from moved bytes: with 3 rows, with one
    /// number of ranks, and always with a ring in shared memory, which adds a fifth of what it
    /// moves. Requires positive bytes and seconds and at least 2 ranks in every row: CheckFailure.
    static Outcome<ExchangeModel> calibrate(const ExchangeCosts& costs,
                                            std::span<const ExchangeTime> rows);

    [[nodiscard]] std::string_view reduction() const { return costs_.reduction; }
    [[nodiscard]] double alpha_seconds() const { return fit_.parameters[0]; }
    [[nodiscard]] double beta_seconds_per_byte() const { return fit_.parameters[1]; }
    /// None where it is part of beta.
    [[nodiscard]] std::optional<double> gamma_seconds_per_byte() const;
    /// Standard deviation of measured times from the model's, as a share.
    [[nodiscard]] double relative_deviation() const { return fit_.residual_deviation; }
    [[nodiscard]] std::size_t rows() const { return rows_; }

    /// 0 for one rank. The interval is that of one measurement, by Student's t on the logarithm,
    /// from the rows' deviation and the parameters' errors. It cannot know of what no row showed:
    /// of more ranks than measured, a slower path between cores.
    [[nodiscard]] PredictedSeconds predict(std::size_t ranks, double bytes) const;

private:
    ExchangeModel(const ExchangeCosts& costs, LeastSquares fit, std::size_t rows)
        : costs_(costs), fit_(std::move(fit)), rows_(rows) {}

    ExchangeCosts costs_;
    LeastSquares fit_;
    std::size_t rows_;
};

/// A network between machines.
struct Network {
    double latency_seconds = 0.0;
    double bytes_per_second = 0.0;
};

/// Of an all-reduce on a ring of `machines`, each with the sum of its own workers: 2 (M-1) steps of
/// latency + S / (M bandwidth) seconds (Thakur et al. as above; Patarasuk and Yuan, "Bandwidth
/// optimal all-reduce algorithms for clusters of workstations", 2009). The additions are left out:
/// memory adds faster than networks send. 0 for one machine. Requires a bandwidth above 0.
double network_ring_seconds(const Network& network, std::size_t machines, double bytes);

}  // namespace dp::experiments::statistics
