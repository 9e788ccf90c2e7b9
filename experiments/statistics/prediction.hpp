// Predictions of N that were not measured, from the step model: with an interval, and held against
// the largest N that was.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/statistics/step_model.hpp"

namespace dp::experiments::statistics {

/// What the model made without the largest measured N says of it.
struct HeldOut {
    std::size_t workers = 1;
    double predicted_seconds = 0.0;
    double measured_seconds = 0.0;
    double relative_error = 0.0;  // (predicted - measured) / measured
};

struct Prediction {
    std::size_t workers = 1;  // of one machine
    std::size_t machines = 1;
    PredictedSeconds step;
    double images_per_second = 0.0;  // of all workers
    double speedup = 1.0;            // images/s over those of one worker with the same batch
    double efficiency = 1.0;         // speedup / all workers
};

/// What to say of N that were not measured, and how sure that is.
class Predictor {
public:
    /// Refused with one N only, without N = 1, or with fewer than 2 repetitions of a point. With
    /// two N, 1 and another, the held-out check predicts the other from N = 1 and the exchange
    /// model.
    static Outcome<Predictor> make(std::span<const MeasuredPoint> points,
                                   const ExchangeModel& exchange, const PredictionSetup& setup);

    [[nodiscard]] const StepModel& model() const { return model_; }
    [[nodiscard]] const HeldOut& held_out() const { return held_out_; }
    /// What the prediction rests on, as a sentence.
    [[nodiscard]] std::string assumption() const;

    /// The interval has three parts, added as independent errors of the logarithm: the repetitions'
    /// (their bootstrap's deviation, widened by Student's t for as many as they are), the exchange
    /// model's, and the model's own. The last one is the held-out error for each extrapolation as
    /// far as that of the check (in doublings of N), at least once, and 1.96 of it for 95 %: this
    /// program's rule, for one error is all that is known of the model.
    [[nodiscard]] Prediction predict(std::size_t workers, std::size_t batch) const;

    /// `machines` of `workers` each: a step inside each machine, then a ring of machines.
    [[nodiscard]] Prediction predict(std::size_t workers, std::size_t batch, std::size_t machines,
                                     const Network& network) const;

private:
    Predictor(StepModel model, HeldOut held_out, std::vector<StepModel> resampled)
        : model_(std::move(model)), held_out_(held_out), resampled_(std::move(resampled)) {}

    [[nodiscard]] double log_half_width(const StepParts& step, std::size_t workers,
                                        std::size_t batch) const;

    StepModel model_;
    HeldOut held_out_;
    std::vector<StepModel> resampled_;  // fitted to resampled repetitions
    double bootstrap_factor_ = 0.0;     // from their deviation to half an interval
    double check_doublings_ = 0.0;      // of N, from the points of the check to the one held out
    double gradient_bytes_ = 0.0;
};

/// The fewest machines, from 2 to `most`, whose predicted throughput is above that of one; none
/// where no number of them pays.
std::optional<std::size_t> machines_that_pay(const Predictor& predictor, std::size_t workers,
                                             std::size_t batch, const Network& network,
                                             std::size_t most);

}  // namespace dp::experiments::statistics
