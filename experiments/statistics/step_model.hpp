// The time of a training step with more workers than were measured, from measured points and the
// model of the exchange:
//
//   T(N, b) = b compute inflation(N) (1 + waiting(N)) + b load + update(N) + other + exchange(N)
//
//   b             images per worker and step
//   compute       seconds of forward and backward per image with one worker
//   inflation(N)  how much longer they take with N; 1 for N = 1
//   waiting(N)    waiting over computing: workers wait for uneven speed, which grows with the work
//   update(N)     of one worker; an N-th of it where each worker updates its slice
//   exchange(N)   of the exchange model, for all of the gradients; 0 for N = 1
//
// It assumes that every further worker has a core like those measured, with its share of cache and
// memory bandwidth, and what it says of more workers than measured rests on how inflation and
// waiting go on; see Trend.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/statistics/exchange_model.hpp"
#include "experiments/statistics/outcome.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

/// Of one step, in seconds, mean over the workers; what is measured in one repetition. They sum to
/// the step.
struct StepParts {
    double load = 0.0;
    double compute = 0.0;   // forward and backward without the transfer that it hides
    double transfer = 0.0;  // exposed and hidden
    double wait = 0.0;      // publish's included
    double update = 0.0;
    double other = 0.0;

    [[nodiscard]] double total() const;
};

/// One N of one mode, not oversubscribed.
struct MeasuredPoint {
    std::size_t workers = 1;
    std::size_t batch = 1;  // images per worker
    std::vector<StepParts> repetitions;
};

/// The median step of the repetitions, divided into parts as their sum is.
StepParts typical_step(const MeasuredPoint& point);

/// Of a run, beside its points.
struct PredictionSetup {
    double gradient_bytes = 0.0;
    bool sliced_update = false;  // each worker updates an N-th of the parameters
};

/// How a quantity goes on with N: straight lines between the measured N; beyond the largest a
/// straight line in N - 1 where 3 or more different N, the known N = 1 among them, show one (least
/// squares of a slope from N = 1, whose 95 % interval leaves out 0). Else it is held at what it was
/// at the largest N, for two points make a line of any noise. Held is the hopeful choice:
/// contention that still grows is not foreseen. A falling line is held too: caches that gain with
/// N have an end, and the line would fall below 0.
class Trend {
public:
    struct Value {
        std::size_t workers = 1;
        double value = 0.0;
    };
    /// `at_one` for N = 1; `values` of larger N, in rising order, none or more.
    Trend(double at_one, std::span<const Value> values);

    [[nodiscard]] double at(std::size_t workers) const;
    /// Beyond the measured N.
    [[nodiscard]] bool is_line() const { return slope_.has_value(); }
    /// "linear in N", "as at N = 2".
    [[nodiscard]] std::string describe() const;

private:
    std::vector<Value> values_;  // that of N = 1 first
    std::optional<double> slope_;
};

/// Fitted to the typical step of each point.
class StepModel {
public:
    /// Refused without a point of one worker. Requires points of different N, in rising order, each
    /// with repetitions of finite parts that are not negative, compute above 0: CheckFailure.
    static Outcome<StepModel> fit(std::span<const MeasuredPoint> points,
                                  const ExchangeModel& exchange, const PredictionSetup& setup);

    /// All workers take `batch` images.
    [[nodiscard]] StepParts step(std::size_t workers, std::size_t batch) const;

    [[nodiscard]] const Trend& inflation() const { return inflation_; }
    [[nodiscard]] const Trend& waiting() const { return waiting_; }
    [[nodiscard]] const ExchangeModel& exchange() const { return exchange_; }
    /// Seconds of a step that grow with the batch, for each of its images.
    [[nodiscard]] double seconds_per_image(std::size_t workers) const;
    /// The others.
    [[nodiscard]] double fixed_seconds(std::size_t workers) const;

private:
    StepModel(const ExchangeModel& exchange, const PredictionSetup& setup, const MeasuredPoint& one,
              Trend inflation, Trend waiting);

    ExchangeModel exchange_;
    PredictionSetup setup_;
    std::size_t batch_;  // with which `one_` was measured
    StepParts one_;      // a step of one worker
    Trend inflation_;
    Trend waiting_;
};

}  // namespace dp::experiments::statistics
