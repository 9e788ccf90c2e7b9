#include "experiments/analysis/reduction_times.hpp"

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments::analysis {
namespace {

using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

constexpr std::string_view kAllreduceSchema = "dp_compare.allreduce/1";

/// A row with a wrong sum has no times.
double time_of(const Json& row, const char* field) {
    const Json& value = row.at(field);
    return value.is_null() ? 0.0 : value.get<double>();
}

allreduce::Row row_of(const Json& json) {
    allreduce::Row row;
    json.at("bytes").get_to(row.bytes);
    json.at("mode").get_to(row.mode);
    json.at("workers").get_to(row.workers);
    // Written since there are processes of several ranks.
    row.threads_per_worker = json.value("threads_per_worker", std::size_t{1});
    json.at("reduction").get_to(row.reduction);
    json.at("oversubscribed").get_to(row.oversubscribed);
    json.at("repetitions").get_to(row.repetitions);
    json.at("wrong").get_to(row.wrong);
    row.time_us = {row.repetitions, time_of(json, "time_median_us"), time_of(json, "time_min_us"),
                   time_of(json, "time_max_us")};
    const Json interval = json.value("time_interval_us", Json(nullptr));
    if (!interval.is_null()) {
        row.time_us.interval = {interval.at(0).get<double>(), interval.at(1).get<double>()};
        row.time_us.coverage = time_of(json, "time_coverage");
    }
    return row;
}

}  // namespace

ReductionTimes read_allreduce(const std::filesystem::path& file) try {
    const Json document = read_json(file);
    const auto& schema = document.at("schema").get_ref<const std::string&>();
    if (schema != kAllreduceSchema) {
        throw Error(ExitCode::kData,
                    "{}: schema {} is not {}: read it with the dp_compare that wrote it",
                    file.string(), schema, kAllreduceSchema);
    }
    ReductionTimes times;
    for (const Json& row : document.at("rows")) times.rows.push_back(row_of(row));
    // Written since predictions name the memory that they need.
    const Json triad = document.value("triad_bytes_per_second", Json(nullptr));
    if (!triad.is_null()) times.triad_bytes_per_second = triad.get<double>();
    return times;
} catch (const Json::exception& error) {
    throw Error(ExitCode::kData,
                "{} is not what dp_compare allreduce writes ({}): remove it, or run it again",
                file.string(), error.what());
}

}  // namespace dp::experiments::analysis
