#include "experiments/analysis/scaling_input.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/exchange/exchange_traits.hpp"
#include "core/nn/model.hpp"
#include "experiments/results/run_totals.hpp"
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

bool calibrates(std::size_t row_bytes, double gradient_bytes) {
    const double factor = static_cast<double>(row_bytes) / gradient_bytes;
    return row_bytes <= kLatencyBytes ||
           (factor >= 1.0 / kNearGradients && factor <= kNearGradients);
}

}  // namespace

std::vector<allreduce::Row> read_allreduce(const std::filesystem::path& file) try {
    const Json document = read_json(file);
    const auto& schema = document.at("schema").get_ref<const std::string&>();
    if (schema != kAllreduceSchema) {
        throw Error(ExitCode::kData,
                    "{}: schema {} is not {}: read it with the dp_compare that wrote it",
                    file.string(), schema, kAllreduceSchema);
    }
    std::vector<allreduce::Row> rows;
    for (const Json& row : document.at("rows")) rows.push_back(row_of(row));
    return rows;
} catch (const Json::exception& error) {
    throw Error(ExitCode::kData,
                "{} is not what dp_compare allreduce writes ({}): remove it, or run it again",
                file.string(), error.what());
}

statistics::StepParts step_parts(const core::RunResult& result) {
    const double steps = steps_of(result);
    DP_CHECK(steps, >, 0.0);
    statistics::TimeParts parts = time_parts(result);
    parts *= 1.0 / steps;
    if (result.update_kind == core::name_of(core::UpdateKind::kCentral)) {
        // What one rank does while all others wait for it is no waiting for uneven speed.
        const double others = static_cast<double>(result.workers.size() - 1) * parts.update;
        const double waited = std::min(others, parts.publish);
        parts.update += waited;
        parts.publish -= waited;
    }
    // Where ranks send each other what they have updated, that is the second half of the exchange.
    const bool sends = result.update_kind == core::name_of(core::UpdateKind::kSharded);
    const double sent = sends ? parts.publish : 0.0;
    return {.load = parts.load,
            .compute = parts.forward + parts.backward,
            .transfer = parts.transfer_exposed + parts.transfer_hidden + sent,
            .wait = parts.wait + parts.publish - sent,
            .update = parts.update,
            .other = parts.other};
}

statistics::MeasuredPoint measured_point(std::span<const Run> runs) {
    statistics::MeasuredPoint point{
        runs.front().workers(), runs.front().settings.config.batch_size, {}};
    for (const Run& run : runs) {
        if (run.result.images_per_second() > 0.0) {
            point.repetitions.push_back(step_parts(run.result));
        }
    }
    return point;
}

statistics::PredictionSetup prediction_setup(const Run& run) {
    const core::ModelSpec& model = core::find_model(run.settings.config.model);
    return {static_cast<double>(model.parameters * sizeof(float)),
            run.result.update_kind == core::name_of(core::UpdateKind::kSliced) ||
                run.result.update_kind == core::name_of(core::UpdateKind::kSharded)};
}

std::vector<statistics::ExchangeTime> exchange_times(std::span<const allreduce::Row> rows,
                                                     std::string_view mode,
                                                     std::string_view reduction,
                                                     double gradient_bytes) {
    std::vector<statistics::ExchangeTime> times;
    for (const allreduce::Row& row : rows) {
        if (row.mode != mode || row.reduction != reduction || row.workers < 2) continue;
        if (row.oversubscribed || row.wrong != 0 || row.time_us.median <= 0.0) continue;
        if (!calibrates(row.bytes, gradient_bytes)) continue;
        times.push_back({row.workers, static_cast<double>(row.bytes), row.time_us.median * 1e-6});
    }
    return times;
}

}  // namespace dp::experiments::analysis
