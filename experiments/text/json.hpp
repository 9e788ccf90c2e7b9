// Values in JSON documents. What has no value is null, as NaN is when a document is written.
#pragma once

#include <nlohmann/json.hpp>

#include "core/base/optional_json.hpp"
#include "experiments/statistics/outcome.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

/// [low, high]; found by nlohmann::json through argument-dependent lookup.
inline void to_json(nlohmann::ordered_json& json, const Interval& interval) {
    json = {interval.low, interval.high};
}

}  // namespace dp::experiments::statistics

namespace dp::experiments {

/// Returns the list of what `json_of` makes of each of `items`.
nlohmann::ordered_json json_list(const auto& items, const auto& json_of) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& item : items) list.push_back(json_of(item));
    return list;
}

/// Returns why there is no value; null where there is one.
template <typename T>
nlohmann::ordered_json refusal_of(const statistics::Outcome<T>& outcome) {
    return outcome ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(outcome.reason());
}

}  // namespace dp::experiments
