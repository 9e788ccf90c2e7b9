// summary.json: the report's figures for programs, from the same structs.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::report {

inline constexpr std::string_view kSummarySchema = "dp_compare.summary/4";
inline constexpr std::string_view kSummaryFileName = "summary.json";

/// The document; what was not measured, and NaN, is null.
nlohmann::ordered_json summary_json(const analysis::Analysis& analysis);

}  // namespace dp::experiments::report
