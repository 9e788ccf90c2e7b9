#include "experiments/analysis/scaling_input.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/nn/model.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

using core::Error;
using core::ExitCode;
using core::Phase;
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
    json.at("reduction").get_to(row.reduction);
    json.at("oversubscribed").get_to(row.oversubscribed);
    json.at("repetitions").get_to(row.repetitions);
    json.at("wrong").get_to(row.wrong);
    row.time = {time_of(json, "time_median_us"), time_of(json, "time_min_us"),
                time_of(json, "time_max_us")};
    return row;
}

/// Adds an epoch of a worker to `sum`.
void add(statistics::StepParts& sum, const core::WorkerEpoch& epoch) {
    const auto seconds = [&](Phase phase) {
        return epoch.phase_seconds[static_cast<std::size_t>(phase)];
    };
    // The exchange and the phases have clocks of their own: their difference may be a rounding
    // error below 0.
    const double wait = std::min(epoch.exchange.wait_seconds, seconds(Phase::kExchange));
    const double hidden = std::min(epoch.exchange.hidden_seconds, seconds(Phase::kBackward));
    sum.load += seconds(Phase::kLoad);
    sum.compute += seconds(Phase::kForward) + seconds(Phase::kBackward) - hidden;
    sum.transfer += seconds(Phase::kExchange) - wait + hidden;
    sum.wait += wait + seconds(Phase::kPublish);
    sum.update += seconds(Phase::kUpdate);
    sum.other += seconds(Phase::kOther);
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
    const std::size_t steps = result.workers.size() * result.epochs.size() * result.steps_per_epoch;
    DP_CHECK(steps, >, 0U);
    statistics::StepParts parts;
    for (const core::WorkerReport& worker : result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) add(parts, epoch);
    }
    for (double* part :
         {&parts.load, &parts.compute, &parts.transfer, &parts.wait, &parts.update, &parts.other}) {
        *part /= static_cast<double>(steps);
    }
    return parts;
}

statistics::MeasuredPoint measured_point(std::span<const StoredRun> runs) {
    statistics::MeasuredPoint point{runs.front().workers, runs.front().batch_size, {}};
    for (const StoredRun& run : runs) {
        if (run.result.images_per_second() > 0.0) {
            point.repetitions.push_back(step_parts(run.result));
        }
    }
    return point;
}

statistics::PredictionSetup prediction_setup(const StoredRun& run) {
    const core::ModelSpec& model = core::find_model(run.config.at("model").get<std::string>());
    return {static_cast<double>(model.parameters * sizeof(float)),
            run.result.update_kind == "sliced"};
}

std::vector<statistics::ExchangeTime> exchange_times(std::span<const allreduce::Row> rows,
                                                     std::string_view mode,
                                                     std::string_view reduction,
                                                     double gradient_bytes) {
    std::vector<statistics::ExchangeTime> times;
    for (const allreduce::Row& row : rows) {
        if (row.mode != mode || row.reduction != reduction || row.workers < 2) continue;
        if (row.oversubscribed || row.wrong != 0 || row.time.median_us <= 0.0) continue;
        if (!calibrates(row.bytes, gradient_bytes)) continue;
        times.push_back({row.workers, static_cast<double>(row.bytes), row.time.median_us * 1e-6});
    }
    return times;
}

}  // namespace dp::experiments
