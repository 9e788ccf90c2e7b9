// What an exchange costs by alpha, beta and gamma: alpha seconds for each message or counter that a
// rank waits for in turn, beta for each byte it loads or stores, gamma for each byte it adds.
// Source: Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in
// MPICH", 2005. Counts of shared-memory reductions are those that the head of each exchange's
// header states; alpha, beta and gamma are calibrated for each reduction from the program's own
// all-reduce benchmark.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
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

struct ExchangeRow {
    std::string_view reduction;
    std::string_view costs;  // for P ranks and S bytes
    /// How often a byte of gradients is moved by each rank, for P of them.
    double (*moved_per_byte)(double ranks);
};

/// All have 2 (P-1) signals: in-place and direct read all others' counters twice, the rings have as
/// many steps. All add (P-1)/P of the bytes.
inline constexpr std::array<ExchangeRow, 4> kExchanges{{
    {"in-place", "2 (P-1) signals, S (1 + 1/P) bytes moved: shared_exchange.hpp",
     [](double ranks) { return 1.0 + 1.0 / ranks; }},
    {"direct", "2 (P-1) signals, 2 S bytes moved: direct_exchange.hpp", [](double) { return 2.0; }},
    {"ring", "2 (P-1) signals, 5 S (P-1)/P bytes moved: ring_exchange.hpp",
     [](double ranks) { return 5.0 * (ranks - 1.0) / ranks; }},
    {"slot-ring", "2 (P-1) signals, (6 - 4/P) S bytes moved: slot_ring_exchange.hpp",
     [](double ranks) { return 6.0 - 4.0 / ranks; }},
}};

/// Of `reduction` for `ranks` and `bytes` of gradients; all 0 for one rank. Throws CheckFailure for
/// a reduction that is not in kExchanges.
ExchangeCounts counts_of(std::string_view reduction, std::size_t ranks, double bytes);

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
    /// as large ones. Refused for a reduction that is not in kExchanges, with fewer than 3 rows,
    /// and where all rows have one size and one number of ranks. gamma is left out, and its cost is
    /// part of beta, where the rows do not tell added from moved bytes: with 3 rows, with one
    /// number of ranks, and always with `ring`, which adds a fifth of what it moves. Requires
    /// positive bytes and seconds and at least 2 ranks in every row: CheckFailure.
    static Outcome<ExchangeModel> calibrate(std::string_view reduction,
                                            std::span<const ExchangeTime> rows);

    [[nodiscard]] const std::string& reduction() const { return reduction_; }
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
    ExchangeModel(std::string_view reduction, LeastSquares fit, std::size_t rows)
        : reduction_(reduction), fit_(std::move(fit)), rows_(rows) {}

    std::string reduction_;
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
