// What more workers than were measured would do, from measured steps alone. The time of a step is
//
//   T(N) = load + compute + wait + other + sent(N) transfer + share(N) update
//
//   sent(N)    bytes that a rank sends for each byte of gradients, as its reduction's row states
//   share(N)   of the parameters that a rank updates: 1/N where each updates a slice, else all
//
// Both factors are known for every N. How the six rates go on beyond the largest N measured is not,
// so a prediction is a range. At best every rate stays what it was there, and is never less than
// with one worker: caches that gain with N have an end. At worst it goes on rising: along the line
// from N = 1 that least squares fit to all N, and the transfer's, which one worker does not have,
// in proportion to N, as if all bytes went through one memory whose bandwidth is used up.
// Contention that grows by as much with every doubling of N leads to about the middle.
//
// All of it assumes that every further worker has a core like those measured.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "experiments/statistics/outcome.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

/// Of one step, in seconds, mean over the workers. They sum to the step.
struct StepParts {
    double load = 0.0;
    double compute = 0.0;   // forward and backward without the transfer that it hides
    double transfer = 0.0;  // exposed and hidden
    double wait = 0.0;      // publish's included
    double update = 0.0;
    double other = 0.0;

    [[nodiscard]] double total() const;
};

struct MeasuredStep {
    std::size_t workers = 1;
    StepParts parts;
};

/// What one repetition measured, by rising N.
using Repetition = std::vector<MeasuredStep>;

/// Of all runs, which differ in N alone.
struct PredictionSetup {
    double (*sent_per_byte)(double ranks) = nullptr;  // see core::ExchangeTraits
    bool sliced_update = false;
    std::size_t batch = 1;    // images per worker and step
    double held_bytes = 0.0;  // by one worker: parameters, gradients, optimizer, activations
};

/// From the best to the worst end, in rising order, and the middle; none far beyond what was
/// measured.
struct PredictedFigure {
    std::optional<double> middle;
    Interval range;
};

struct Prediction {
    std::size_t workers = 1;
    PredictedFigure step_seconds;
    PredictedFigure images_per_second;  // of all workers
    PredictedFigure speedup;            // images/s over those of one worker
    PredictedFigure efficiency;         // speedup / workers
    /// Of all workers together at the fast end of the range, where each reads and writes in a step
    /// once all that it holds: the memory must offer as much. None where that is not known.
    std::optional<double> memory_bytes_per_second;
};

/// One of the measured N, predicted from those below it.
struct PredictionCheck {
    Prediction predicted;
    double measured_seconds = 0.0;  // a step's
    double lost_seconds = 0.0;      // of it, beyond a step of one worker

    /// Off by more than what it explains.
    [[nodiscard]] bool fails() const;
};

class Predictor {
public:
    /// Refused unless all `repetitions` hold the same N, 1 and another at least, and there are two
    /// of them; and where the check of the largest N fails. Requires finite parts, none below 0,
    /// compute above 0: CheckFailure.
    static Outcome<Predictor> make(std::vector<Repetition> repetitions,
                                   const PredictionSetup& setup);

    [[nodiscard]] std::size_t largest() const { return repetitions_.front().back().workers; }
    /// Up to which a prediction has a middle: twice the largest N measured.
    [[nodiscard]] std::size_t reach() const { return 2 * largest(); }
    [[nodiscard]] const std::vector<Repetition>& repetitions() const { return repetitions_; }
    [[nodiscard]] const PredictionSetup& setup() const { return setup_; }
    /// Of every N that those below it reach, but for the first two.
    [[nodiscard]] std::vector<PredictionCheck> checks() const;

    /// Each repetition, whose runs met the machine in one state, makes a prediction of its own. The
    /// middle is their median; the range goes from the low end of the interval of the best ones
    /// (order_interval()) to the high end of that of the worst. Requires workers > largest().
    [[nodiscard]] Prediction predict(std::size_t workers) const;

private:
    Predictor(std::vector<Repetition> repetitions, const PredictionSetup& setup)
        : repetitions_(std::move(repetitions)), setup_(setup) {}

    std::vector<Repetition> repetitions_;
    PredictionSetup setup_;
};

}  // namespace dp::experiments::statistics
