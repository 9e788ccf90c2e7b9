// `dp_compare predict`: what more workers than were measured would do, from a folder of results or
// from a short sweep of its own.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"
#include "experiments/statistics/exchange_model.hpp"
#include "experiments/statistics/isoefficiency.hpp"
#include "experiments/statistics/prediction.hpp"

namespace dp::experiments::predict {

struct Request {
    std::filesystem::path folder;           // empty: measures by itself
    std::vector<std::string> modes;         // empty: all that exchange
    std::vector<std::size_t> workers;       // to predict
    std::optional<std::size_t> batch_size;  // per worker; none: as measured
    std::optional<statistics::Network> network;
    std::optional<std::size_t> workers_per_machine;  // none: as many as usable CPUs
    double efficiency = 0.8;                         // for which batches are sought
    std::filesystem::path json;                      // empty: no file
};

struct PredictedWorkers {
    std::size_t workers = 1;            // of all machines
    statistics::Prediction prediction;  // on one machine
    /// On machines of workers_per_machine at most, by as few as that takes. Its throughput, speedup
    /// and efficiency are those of `workers`.
    std::optional<statistics::Prediction> networked;
};

struct BatchFor {
    std::size_t workers = 1;
    statistics::Outcome<statistics::Isoefficiency> batch;
};

struct ModePredictions {
    std::string design;
    std::string reduction;
    double gradient_bytes = 0.0;
    std::vector<statistics::MeasuredPoint> measured;  // not oversubscribed
    statistics::Outcome<statistics::ExchangeModel> exchange;
    statistics::Outcome<statistics::Predictor> predictor;
    // The rest only with a predictor.
    std::size_t batch = 1;  // per worker, predicted for
    std::vector<PredictedWorkers> predictions = {};
    std::vector<BatchFor> batches = {};
    std::optional<std::size_t> machines_that_pay = {};  // none: no network, or no number of them
};

struct Predictions {
    std::size_t workers_per_machine = 1;
    std::size_t most_machines = 1;  // that were looked at
    std::vector<ModePredictions> modes;
};

/// Throws Error(kUsage) for a mode that `analysis` does not hold or that exchanges nothing.
Predictions make_predictions(const analysis::Analysis& analysis, const Request& request);

/// Prints them on stdout and writes request.json. Throws what reading or measuring throws, and
/// Error(kUsage), all printed, when no mode can be predicted.
void run_predict(const Request& request);

}  // namespace dp::experiments::predict
