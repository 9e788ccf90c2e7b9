#include "experiments/report/allreduce_file.hpp"

#include <cmath>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"

namespace dp::experiments::report {
namespace {

using Json = nlohmann::json;

constexpr const char* kSchema = "dp_compare.allreduce/1";

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
    json.at("reduction").get_to(row.reduction);
    json.at("oversubscribed").get_to(row.oversubscribed);
    json.at("repetitions").get_to(row.repetitions);
    json.at("wrong").get_to(row.wrong);
    row.time = {time_of(json, "time_median_us"), time_of(json, "time_min_us"),
                time_of(json, "time_max_us")};
    return row;
}

}  // namespace

std::vector<allreduce::Row> read_allreduce(const std::filesystem::path& file) try {
    std::ifstream in(file);
    const Json document = Json::parse(in);
    const auto schema = document.at("schema").get<std::string>();
    if (schema != kSchema) {
        throw core::Error(core::ExitCode::kData,
                          "{}: schema {} is not {}: read it with the dp_compare that wrote it",
                          file.string(), schema, kSchema);
    }
    std::vector<allreduce::Row> rows;
    for (const Json& row : document.at("rows")) rows.push_back(row_of(row));
    return rows;
} catch (const Json::exception& error) {
    throw core::Error(core::ExitCode::kData,
                      "{} is not what dp_compare allreduce writes ({}): remove it, or run it again",
                      file.string(), error.what());
}

}  // namespace dp::experiments::report
