#include "experiments/report/summary_file.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "experiments/report/findings.hpp"
#include "experiments/report/threats.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

using Json = nlohmann::ordered_json;
using namespace statistics;

/// nlohmann writes NaN as null, but keeps it as a number in the document: say it here.
Json value_of(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const std::optional<double>& value) {
    return value ? value_of(*value) : Json(nullptr);
}

Json json_of(const std::optional<Interval>& interval) {
    return interval ? Json{value_of(interval->low), value_of(interval->high)} : Json(nullptr);
}

Json json_of(const std::optional<Summary>& summary) {
    if (!summary) return nullptr;
    return {{"n", summary->n},
            {"median", value_of(summary->median)},
            {"minimum", value_of(summary->minimum)},
            {"maximum", value_of(summary->maximum)},
            {"interval95", json_of(summary->interval95)}};
}

Json json_of(const Ratio& ratio) {
    return {{"value", value_of(ratio.value)}, {"interval95", json_of(ratio.interval95)}};
}

Json json_of(const Estimate& estimate) {
    return {{"value", value_of(estimate.value)},
            {"standard_error", value_of(estimate.standard_error)},
            {"interval95", json_of(std::optional(estimate.interval95))}};
}

Json json_of(const std::optional<Straggler>& straggler) {
    if (!straggler) return nullptr;
    return {{"rank", straggler->rank},
            {"phase", straggler->phase ? Json(core::name_of(*straggler->phase)) : Json(nullptr)},
            {"steps_share", value_of(straggler->steps_share)},
            {"lost_share", value_of(straggler->lost_share)},
            {"lost_seconds_per_step", value_of(straggler->lost_seconds_per_step)}};
}

Json json_of(const std::optional<Metrics>& metrics) {
    if (!metrics) return nullptr;
    return {{"exchange_calls_per_epoch", value_of(metrics->exchange_calls_per_epoch)},
            {"sent_bytes_per_epoch", value_of(metrics->sent_bytes_per_epoch)},
            {"exchange_seconds", value_of(metrics->exchange_seconds)},
            {"iteration_seconds", value_of(metrics->iteration_seconds)},
            {"compute_to_communication", json_of(metrics->compute_to_communication)},
            {"effective_speedup", json_of(metrics->effective_speedup)},
            {"voluntary_switches_per_step", value_of(metrics->voluntary_switches_per_step)},
            {"involuntary_switches_per_step", value_of(metrics->involuntary_switches_per_step)},
            {"migrations_per_epoch", json_of(metrics->migrations_per_epoch)},
            {"cpu_share", value_of(metrics->cpu_share)},
            {"start_up_seconds", value_of(metrics->start_up_seconds)}};
}

Json json_of(const std::optional<Memory>& memory) {
    if (!memory) return nullptr;
    return {{"processes", memory->processes},
            {"total_bytes", value_of(memory->total_bytes)},
            {"private_bytes", value_of(memory->private_bytes)},
            {"parameters_bytes", value_of(memory->parameters_bytes)},
            {"gradients_bytes", value_of(memory->gradients_bytes)},
            {"optimizer_bytes", value_of(memory->optimizer_bytes)},
            {"activations_bytes", value_of(memory->activations_bytes)},
            {"data_bytes", value_of(memory->data_bytes)},
            {"rest_bytes", json_of(memory->rest_bytes)}};
}

Json json_of(const Configuration& each) {
    Json json{{"mode", each.mode},
              {"workers", each.workers},
              {"oversubscribed", each.oversubscribed},
              {"repetitions", each.runs.size()},
              {"images_per_second", json_of(each.images_per_second)},
              {"train_seconds", json_of(each.train_seconds)},
              {"work_seconds", json_of(each.work_seconds)},
              {"speedup", nullptr},
              {"efficiency", nullptr},
              {"karp_flatt", nullptr}};
    if (each.scaling) {
        json["speedup"] = json_of(each.scaling->speedup);
        json["efficiency"] = json_of(each.scaling->efficiency);
        json["karp_flatt"] = json_of(each.scaling->karp_flatt);
    }
    const core::RunResult& result = each.runs.front().result;
    json["test_accuracy"] = value_of(result.test_accuracy);
    json["test_loss"] = value_of(result.test_loss);
    json["metrics"] = json_of(each.metrics);
    json["memory"] = json_of(each.memory);
    json["straggler"] = json_of(each.straggler);
    return json;
}

Json json_of(const Comparison& each) {
    return {{"workers", each.workers},
            {"oversubscribed", each.oversubscribed},
            {"first", each.first},
            {"second", each.second},
            {"pairs", each.ratio.pairs},
            {"ratio", value_of(each.ratio.ratio)},
            {"interval95", json_of(each.ratio.interval95)},
            {"difference_shown", each.ratio.difference_shown}};
}

Json json_of(const ModeWaterfall& each) {
    Json parts = Json::array();
    for (const WaterfallPart& part : each.waterfall.parts) {
        parts.push_back({{"cause", row_of(part.cause).name}, {"seconds", value_of(part.seconds)}});
    }
    return {{"mode", each.mode},
            {"workers", each.waterfall.workers},
            {"baseline", each.baseline},
            {"ideal_seconds", value_of(each.waterfall.ideal_seconds)},
            {"measured_seconds", value_of(each.waterfall.measured_seconds)},
            {"parts", parts}};
}

Json json_of(const LawResult& law) {
    Json json{{"law", row_of(law.law).name},
              {"refused", law.fit ? Json(nullptr) : Json(law.fit.reason())},
              {"points", nullptr},
              {"serial", nullptr},
              {"coherence", nullptr},
              {"peak_workers", nullptr}};
    if (!law.fit) return json;
    json["points"] = law.fit->points;
    json["serial"] = json_of(law.fit->serial);
    if (law.fit->coherence) json["coherence"] = json_of(*law.fit->coherence);
    json["peak_workers"] = json_of(law.fit->peak_workers);
    return json;
}

Json json_of(const Prediction& each) {
    return {{"predicted", true},
            {"workers", each.workers},
            {"step_seconds", value_of(each.step.seconds)},
            {"interval95", json_of(std::optional(each.step.interval95))},
            {"images_per_second", value_of(each.images_per_second)},
            {"speedup", value_of(each.speedup)},
            {"efficiency", value_of(each.efficiency)}};
}

Json json_of(const ModeModels& models) {
    Json json{{"mode", models.mode},
              {"laws", Json::array()},
              {"exchange", nullptr},
              {"exchange_refused", models.exchange.reason()},
              {"predictions_refused", models.predictor.reason()}};
    for (const LawResult& law : models.laws) json["laws"].push_back(json_of(law));
    if (models.exchange) {
        json["exchange_refused"] = nullptr;
        json["exchange"] = {
            {"reduction", models.exchange->reduction()},
            {"alpha_seconds", value_of(models.exchange->alpha_seconds())},
            {"beta_seconds_per_byte", value_of(models.exchange->beta_seconds_per_byte())},
            {"gamma_seconds_per_byte", json_of(models.exchange->gamma_seconds_per_byte())},
            {"relative_deviation", value_of(models.exchange->relative_deviation())}};
    }
    json["held_out"] = nullptr;
    if (models.predictor) {
        const HeldOut& check = models.predictor->held_out();
        json["predictions_refused"] = nullptr;
        json["held_out"] = {{"workers", check.workers},
                            {"predicted_seconds", value_of(check.predicted_seconds)},
                            {"measured_seconds", value_of(check.measured_seconds)}};
    }
    json["predictions"] = Json::array();
    for (const Prediction& each : models.predictions) json["predictions"].push_back(json_of(each));
    json["isoefficiency"] = Json::array();
    for (const IsoPoint& point : models.isoefficiency) {
        json["isoefficiency"].push_back(
            {{"predicted", true},
             {"workers", point.workers},
             {"efficiency", kTargetEfficiency},
             {"batch_per_worker", point.batch ? Json(point.batch->batch) : Json(nullptr)},
             {"refused", point.batch ? Json(nullptr) : Json(point.batch.reason())}});
    }
    return json;
}

Json list_of(const auto& items) {
    Json list = Json::array();
    for (const auto& item : items) list.push_back(json_of(item));
    return list;
}

}  // namespace

Json summary_json(const Analysis& analysis) {
    Json document{{"schema", kSummarySchema},
                  {"scaling", analysis.results.runs.front().scaling},
                  {"steps_limit", analysis.results.runs.front().config.at("steps_limit")},
                  {"work_images", value_of(analysis.work_images)},
                  {"findings", find_findings(analysis)},
                  {"configurations", list_of(analysis.configurations)},
                  {"comparisons", list_of(analysis.comparisons)},
                  {"waterfalls", list_of(analysis.waterfalls)},
                  {"models", list_of(analysis.models)}};
    document["correctness"] = Json::array();
    for (const Correctness& each : analysis.correctness) {
        document["correctness"].push_back({{"workers", each.workers},
                                           {"order", core::name_of(each.order)},
                                           {"modes", each.modes},
                                           {"runs", each.runs},
                                           {"checksums", each.checksums},
                                           {"equal", each.equal()}});
    }
    document["differences"] = Json::array();
    for (const analysis::Difference& each : analysis.differences) {
        document["differences"].push_back({{"setting", each.setting}, {"values", each.values}});
    }
    document["threats"] = Json::array();
    for (const Threat& each : find_threats(analysis)) {
        document["threats"].push_back({{"title", each.title}, {"text", each.text}});
    }
    return document;
}

}  // namespace dp::experiments::report
