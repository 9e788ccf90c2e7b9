#include "experiments/report/predictions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/text/json.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

using namespace statistics;
using Json = nlohmann::ordered_json;

std::string text_of(const PredictedFigure& figure, const auto& format) {
    const std::string range =
        fmt::format("{} to {}", format(figure.range.low), format(figure.range.high));
    return figure.middle ? fmt::format("{} ({})", format(*figure.middle), range) : range;
}

std::string two_decimals(double value) { return fmt::format("{:.2f}", value); }
std::string whole_percent(double share) { return percent(share, 0); }
std::string rate(double bytes_per_second) { return bytes(bytes_per_second) + "/s"; }

std::vector<std::size_t> measured_workers(const Predictor& predictor) {
    std::vector<std::size_t> workers;
    for (const MeasuredStep& point : predictor.repetitions().front()) {
        workers.push_back(point.workers);
    }
    return workers;
}

std::string describe(const PredictionCheck& check) {
    return fmt::format(
        "N = {} from the smaller N: a step of {} predicted, {} measured, of which "
        "{} are lost against N = 1",
        check.predicted.workers, text_of(check.predicted.step_seconds, seconds),
        seconds(check.measured_seconds), seconds(check.lost_seconds));
}

std::string describe(const ModeModels& models) {
    if (!models.predictor) {
        return fmt::format("{}: no prediction: {}.", models.design, models.predictor.reason());
    }
    const auto checks = models.predictor->checks();
    return fmt::format("{}: from N = {}, {} repetitions, {} images a worker and step. {}.",
                       models.design, core::join(measured_workers(*models.predictor)),
                       models.predictor->repetitions().size(), models.predictor->setup().batch,
                       checks.empty() ? "Not checked: a check takes a third N"
                                      : "Check: " + core::join(checks, "; ", [](const auto& check) {
                                            return describe(check);
                                        }));
}

/// What the machine has of that which the rows need.
std::string describe_machine(const Analysis& analysis) {
    const Json& context = analysis.results.runs.front().context;
    const auto& triad = analysis.reductions.triad_bytes_per_second;
    return fmt::format(
        "Each row needs a CPU like those measured for each worker, of which this machine has {:g}, "
        "and at its fast end the memory traffic of the last column, if a step reads and writes "
        "once what a worker holds; {}.",
        context.value("usable_cpus", 0.0),
        triad ? fmt::format("this machine's memory moves {} (triad)", rate(*triad))
              : std::string("what this machine's memory moves was not measured"));
}

void add(Json& json, const std::string& name, const PredictedFigure& figure) {
    json[name] = figure.middle;
    json[name + "_range"] = figure.range;
}

Json json_of(const Prediction& each) {
    Json json{{"workers", each.workers}, {"predicted", true}};
    add(json, "step_seconds", each.step_seconds);
    add(json, "images_per_second", each.images_per_second);
    add(json, "speedup", each.speedup);
    add(json, "efficiency", each.efficiency);
    json["memory_bytes_per_second"] = each.memory_bytes_per_second;
    return json;
}

Json json_of(const PredictionCheck& check) {
    return {{"workers", check.predicted.workers},
            {"step_seconds", check.predicted.step_seconds.middle},
            {"step_seconds_range", check.predicted.step_seconds.range},
            {"measured_step_seconds", check.measured_seconds},
            {"lost_step_seconds", check.lost_seconds}};
}

}  // namespace

Table predictions_table(std::span<const ModeModels> models) {
    Table table{
        "Predicted, not measured. First the middle, where N is at most twice the largest measured; "
        "then the range from contention that goes on growing to contention that grows no more. "
        "Speedup is over the design's own N = 1",
        {{"design", Align::kLeft},
         {"N"},
         {"step"},
         {"images/s"},
         {"speedup"},
         {"efficiency"},
         {"memory traffic"}}};
    for (const ModeModels& each : models) {
        for (const Prediction& of : each.predictions) {
            table.rows.push_back(
                {{each.design, fmt::to_string(of.workers), text_of(of.step_seconds, seconds),
                  text_of(of.images_per_second, count), text_of(of.speedup, two_decimals),
                  text_of(of.efficiency, whole_percent),
                  of.memory_bytes_per_second ? rate(*of.memory_bytes_per_second) : ""}});
        }
    }
    return table;
}

List prediction_notes(std::span<const ModeModels> models, const Analysis& analysis) {
    List notes;
    bool any = false;
    for (const ModeModels& each : models) {
        notes.items.emplace_back(describe(each));
        any = any || each.predictor;
    }
    if (any) notes.items.emplace_back(describe_machine(analysis));
    return notes;
}

Json predictions_json(const ModeModels& models) {
    const auto& predictor = models.predictor;
    const auto all = [](const auto& each) { return json_of(each); };
    return {{"design", models.design},
            {"refused", refusal_of(predictor)},
            {"measured_workers", predictor ? Json(measured_workers(*predictor)) : Json::array()},
            {"repetitions", predictor ? Json(predictor->repetitions().size()) : Json(nullptr)},
            {"batch_size", predictor ? Json(predictor->setup().batch) : Json(nullptr)},
            {"checks", predictor ? json_list(predictor->checks(), all) : Json::array()},
            {"predictions", json_list(models.predictions, all)}};
}

}  // namespace dp::experiments::report
