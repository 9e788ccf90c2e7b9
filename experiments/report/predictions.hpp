// Predictions as the report and `dp_compare predict` show them.
#pragma once

#include <span>

#include <nlohmann/json_fwd.hpp>

#include "experiments/analysis/analysis.hpp"
#include "experiments/report/document.hpp"

namespace dp::experiments::report {

/// A row for each prediction of `models`; none where nothing was predicted.
Table predictions_table(std::span<const analysis::ModeModels> models);

/// For each design what its predictions rest on and how they were checked, or why it has none; then
/// what the rows need and what the machine measured has.
List prediction_notes(std::span<const analysis::ModeModels> models,
                      const analysis::Analysis& analysis);

/// A design's predictions, as summary.json and predict.json have them.
nlohmann::ordered_json predictions_json(const analysis::ModeModels& models);

}  // namespace dp::experiments::report
