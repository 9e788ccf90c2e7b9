#include "experiments/report/summary_file.hpp"

#include "experiments/report/findings.hpp"
#include "experiments/report/predictions.hpp"
#include "experiments/report/threats.hpp"
#include "experiments/text/json.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

using Json = nlohmann::ordered_json;
using namespace statistics;

Json json_of(const std::optional<Summary>& summary) {
    if (!summary) return nullptr;
    return {{"n", summary->n},
            {"median", summary->median},
            {"minimum", summary->minimum},
            {"maximum", summary->maximum},
            {"interval", summary->interval},
            {"coverage", summary->interval ? Json(summary->coverage) : Json(nullptr)}};
}

Json json_of(const Estimate& estimate) {
    return {{"value", estimate.value},
            {"standard_error", estimate.standard_error},
            {"interval95", estimate.interval95}};
}

Json json_of(const std::optional<Straggler>& straggler) {
    if (!straggler) return nullptr;
    return {{"rank", straggler->rank},
            {"phase", straggler->phase ? Json(core::name_of(*straggler->phase)) : Json(nullptr)},
            {"steps_share", straggler->steps_share},
            {"lost_share", straggler->lost_share},
            {"lost_seconds_per_step", straggler->lost_seconds_per_step},
            {"p_value", straggler->p_value}};
}

Json json_of(const std::optional<StepFigures>& steps) {
    if (!steps) return nullptr;
    return {{"count", steps->seconds.size()},
            {"cold", json_of(std::optional(steps->cold))},
            {"p50_seconds", json_of(std::optional(steps->p50_seconds))},
            {"p95_seconds", json_of(steps->p95_seconds)},
            {"p99_seconds", json_of(steps->p99_seconds)},
            {"maximum_seconds", steps->maximum_seconds()},
            {"autocorrelation", json_of(steps->autocorrelation)}};
}

Json json_of(const std::optional<Metrics>& metrics) {
    if (!metrics) return nullptr;
    return {{"exchange_calls_per_epoch", metrics->exchange_calls_per_epoch},
            {"sent_bytes_per_epoch", metrics->sent_bytes_per_epoch},
            {"exchange_seconds", json_of(metrics->exchange_seconds)},
            {"iteration_seconds", json_of(metrics->iteration_seconds)},
            {"compute_to_communication", json_of(metrics->compute_to_communication)},
            {"effective_speedup", json_of(metrics->effective_speedup)},
            {"voluntary_switches_per_step", json_of(metrics->voluntary_switches_per_step)},
            {"involuntary_switches_per_step", json_of(metrics->involuntary_switches_per_step)},
            {"migrations_per_epoch", json_of(metrics->migrations_per_epoch)},
            {"cpu_share", json_of(metrics->cpu_share)},
            {"start_up_seconds", json_of(metrics->start_up_seconds)}};
}

Json json_of(const std::optional<Memory>& memory) {
    if (!memory) return nullptr;
    return {{"processes", memory->processes},
            {"total_bytes", json_of(memory->total_bytes)},
            {"private_bytes", json_of(memory->private_bytes)},
            {"parameters_bytes", memory->parameters_bytes},
            {"gradients_bytes", memory->gradients_bytes},
            {"optimizer_bytes", memory->optimizer_bytes},
            {"activations_bytes", memory->activations_bytes},
            {"data_bytes", memory->data_bytes},
            {"rest_bytes", memory->rest_bytes}};
}

Json json_of(const Configuration& each) {
    Json json{{"design", each.design},
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
    json["test_accuracy"] = result.test_accuracy;
    json["test_loss"] = result.test_loss;
    json["metrics"] = json_of(each.metrics);
    json["memory"] = json_of(each.memory);
    json["steps"] = json_of(each.steps);
    json["straggler"] = json_of(each.straggler.named);
    const std::string& reason = each.straggler.not_judged;
    json["straggler_not_judged"] = reason.empty() ? Json(nullptr) : Json(reason);
    return json;
}

Json json_of(const Comparison& each) {
    return {{"workers", each.workers},
            {"oversubscribed", each.oversubscribed},
            {"first", each.first},
            {"second", each.second},
            {"ratio", json_of(each.ratio)},
            {"p_value", each.test.p_value},
            {"adjusted_p_value", each.adjusted_p},
            {"difference_shown", each.difference_shown()},
            {"detectable_share", each.adjusted_p ? Json(each.detectable_share()) : Json(nullptr)}};
}

Json json_of(const AspectComparison& each) {
    return {{"aspect", each.aspect->name},
            {"of_step", each.aspect->of_step},
            {"first", json_of(each.first)},
            {"second", json_of(each.second)},
            {"difference", json_of(each.difference)},
            {"p_value", each.test.p_value},
            {"adjusted_p_value", each.adjusted_p},
            {"difference_shown", each.difference_shown()},
            {"detectable", each.adjusted_p ? Json(each.detectable()) : Json(nullptr)}};
}

Json json_of(const Contrast& contrast) {
    return {{"workers", contrast.workers},
            {"first", contrast.first},
            {"second", contrast.second},
            {"aspects", json_list(contrast.aspects,
                                  [](const AspectComparison& each) { return json_of(each); })}};
}

Json json_of(const WaterfallPart& part) {
    return {{"cause", row_of(part.cause).name},
            {"seconds", part.seconds},
            {"repetitions", json_of(part.repetitions)}};
}

Json json_of(const std::optional<CeilingSplit>& split) {
    if (!split) return nullptr;
    return {{"machine_seconds", json_of(split->machine_seconds)},
            {"design_seconds", json_of(split->design_seconds)}};
}

Json json_of(const ModeWaterfall& each) {
    return {{"design", each.design},
            {"workers", each.waterfall.workers},
            {"baseline", each.baseline},
            {"ideal_seconds", each.waterfall.ideal_seconds},
            {"measured_seconds", each.waterfall.measured_seconds},
            {"parts", json_list(each.waterfall.parts,
                                [](const WaterfallPart& part) { return json_of(part); })},
            {"ceiling", json_of(each.ceiling)}};
}

Json json_of(const LawResult& law) {
    Json json{{"law", row_of(law.law).name}, {"refused", refusal_of(law.fit)},
              {"points", nullptr},           {"serial", nullptr},
              {"coherence", nullptr},        {"peak_workers", nullptr}};
    if (!law.fit) return json;
    json["points"] = law.fit->points;
    json["serial"] = json_of(law.fit->serial);
    if (law.fit->coherence) json["coherence"] = json_of(*law.fit->coherence);
    json["peak_workers"] = law.fit->peak_workers;
    return json;
}

Json json_of(const ModeModels& models) {
    Json json = predictions_json(models);
    json["laws"] = json_list(models.laws, [](const LawResult& law) { return json_of(law); });
    return json;
}

Json json_of(const Correctness& each) {
    return {{"workers", each.shards ? Json(nullptr) : Json(each.workers.front())},
            {"shards", each.shards},
            {"order", core::name_of(each.order)},
            {"designs", each.designs},
            {"runs", each.runs},
            {"checksums", each.checksums},
            {"equal", each.equal()}};
}

Json json_of(const analysis::Difference& each) {
    return {{"setting", each.setting}, {"values", each.values}};
}

Json json_of(const Threat& each) { return {{"title", each.title}, {"text", each.text}}; }

constexpr auto kJsonOf = [](const auto& item) { return json_of(item); };

}  // namespace

Json summary_json(const Analysis& analysis) {
    const RunSettings& settings = analysis.results.runs.front().settings;
    return {{"schema", kSummarySchema},
            {"scaling", core::row_of(kScalings, settings.scaling).name},
            {"steps_limit", settings.config.steps_limit},
            {"work_images", analysis.work_images},
            {"findings", find_findings(analysis)},
            {"configurations", json_list(analysis.configurations, kJsonOf)},
            {"comparisons", json_list(analysis.comparisons, kJsonOf)},
            {"contrasts", json_list(analysis.contrasts, kJsonOf)},
            {"waterfalls", json_list(analysis.waterfalls, kJsonOf)},
            {"models", json_list(analysis.models, kJsonOf)},
            {"correctness", json_list(analysis.correctness, kJsonOf)},
            {"differences", json_list(analysis.differences, kJsonOf)},
            {"threats", json_list(find_threats(analysis), kJsonOf)}};
}

}  // namespace dp::experiments::report
