// `dp_compare predict`: what more workers than were measured would do, from a folder of results or
// from a short sweep of its own.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::predict {

struct Request {
    std::filesystem::path folder;           // empty: measures by itself
    std::vector<std::string> modes;         // empty: all that exchange
    std::vector<std::size_t> workers;       // to predict; empty: twice the largest measured
    bool far = false;                       // beyond that too
    std::optional<std::size_t> batch_size;  // per worker, to measure with
    std::filesystem::path json;             // empty: no file
};

/// The models of the designs asked for, with a prediction for each N asked for. Throws
/// Error(kUsage) for a mode that `analysis` does not hold or that exchanges nothing, for an N that
/// is not above those measured, and without `far` for one beyond Predictor::reach().
std::vector<analysis::ModeModels> make_predictions(const analysis::Analysis& analysis,
                                                   const Request& request);

/// Lines without the last newline: the report's table of predictions, and its notes.
std::string format_predictions(const std::vector<analysis::ModeModels>& models,
                               const analysis::Analysis& analysis);

/// Prints them on stdout and writes request.json. Throws what reading or measuring throws, and
/// Error(kUsage), all printed, when no design can be predicted.
void run_predict(const Request& request);

}  // namespace dp::experiments::predict
