// Predictions as text and as JSON.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "experiments/predict/predict.hpp"

namespace dp::experiments::predict {

/// What each mode was calibrated with and how its check came out, then a row for each N, then what
/// several machines and larger batches would do; lines without the last newline.
std::string format_predictions(const Predictions& predictions, const Request& request);

/// What --json writes, as experiments/schemas/predict.schema.json has it.
nlohmann::ordered_json to_json(const Predictions& predictions, const Request& request);

}  // namespace dp::experiments::predict
