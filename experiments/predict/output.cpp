#include "experiments/predict/output.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/text/json.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::predict {
namespace {

using Json = nlohmann::ordered_json;
using statistics::Interval;
using statistics::MeasuredPoint;
using statistics::Prediction;

constexpr const char* kIndent = "          ";

std::string measured_line(const ModePredictions& mode) {
    const auto list = [&](const auto& value) { return core::join(mode.measured, ", ", value); };
    return fmt::format("{:<8}  measured: N = {}; repetitions {}; batch per worker {}\n",
                       mode.design, list(&MeasuredPoint::workers),
                       list([](const MeasuredPoint& each) { return each.repetitions.size(); }),
                       list(&MeasuredPoint::batch));
}

std::string exchange_line(const ModePredictions& mode) {
    const statistics::ExchangeModel& model = *mode.exchange;
    const auto gamma = model.gamma_seconds_per_byte();
    return fmt::format(
        "{}exchange: {} of {:.2f} MB: alpha {:.2f} us a signal, beta {:.4f} ns a byte moved, {}; "
        "{} rows, off by {:.0f} %\n",
        kIndent, mode.reduction, 1e-6 * mode.gradient_bytes, 1e6 * model.alpha_seconds(),
        1e9 * model.beta_seconds_per_byte(),
        gamma ? fmt::format("gamma {:.4f} ns a byte added", 1e9 * *gamma)
              : std::string("gamma (additions) within beta"),
        model.rows(), 100.0 * model.relative_deviation());
}

/// Beyond this the model is not the machine's.
constexpr double kMostCheckError = 0.15;

std::string held_out_line(const statistics::HeldOut& check) {
    const bool far = std::abs(check.relative_error) > kMostCheckError;
    return fmt::format(
        "{}check:    N = {} predicted from smaller N: {:.2f} ms a step, measured {:.2f} ms, error "
        "{:+.1f} %{}\n",
        kIndent, check.workers, 1e3 * check.predicted_seconds, 1e3 * check.measured_seconds,
        100.0 * check.relative_error,
        far ? ": too far to rely on; measure again on an idle machine" : "");
}

std::string calibration_lines(const ModePredictions& mode) {
    std::string text =
        mode.measured.empty() ? fmt::format("{:<8}\n", mode.design) : measured_line(mode);
    if (mode.exchange) text += exchange_line(mode);
    if (!mode.predictor) {
        return text + fmt::format("{}no prediction: {}\n", kIndent, mode.predictor.reason());
    }
    return text + fmt::format("{}assumed:  {}\n", kIndent, mode.predictor->assumption()) +
           held_out_line(mode.predictor->held_out());
}

constexpr const char* kRowFormat = "{:<{}} {:>5}  {:>9}  {:>10}  {:>20}  {:>8}  {:>10}  {:<9}{}\n";

std::string header(const Request& request, std::size_t width) {
    return fmt::format(kRowFormat, "design", width, "N", "step ms", "images/s", "95 % range",
                       "speedup", "efficiency", "",
                       request.network ? "  machines   networked" : "");
}

/// Throughput of `workers` with steps of `seconds`.
Interval throughput(const Prediction& prediction) {
    const double images = prediction.images_per_second * prediction.step.seconds;
    return {images / prediction.step.interval95.high, images / prediction.step.interval95.low};
}

std::string row(const ModePredictions& mode, const PredictedWorkers& each, std::size_t width) {
    const Prediction& one = each.prediction;
    const Interval range = throughput(one);
    const std::string networked = each.networked
                                      ? fmt::format("  {:>8}  {:>10}", each.networked->machines,
                                                    count(each.networked->images_per_second))
                                      : "";
    return fmt::format(kRowFormat, mode.design, width, each.workers,
                       fmt::format("{:.2f}", 1e3 * one.step.seconds), count(one.images_per_second),
                       fmt::format("{} to {}", count(range.low), count(range.high)),
                       fmt::format("{:.2f}", one.speedup),
                       fmt::format("{:.0f} %", 100.0 * one.efficiency), "predicted", networked);
}

std::string machines_line(const ModePredictions& mode, const Predictions& all) {
    const std::size_t per_machine = all.workers_per_machine;
    if (all.most_machines < 2) {
        return fmt::format("{}: one machine of {} workers has them all\n", mode.design,
                           per_machine);
    }
    if (!mode.machines_that_pay) {
        return fmt::format(
            "{}: up to N = {} ({} machines of {}) no number of machines is faster than one\n",
            mode.design, all.most_machines * per_machine, all.most_machines, per_machine);
    }
    return fmt::format(
        "{}: several machines are faster than one from N = {} on ({} machines of {})\n",
        mode.design, *mode.machines_that_pay * per_machine, *mode.machines_that_pay, per_machine);
}

std::string batch_text(const BatchFor& each) {
    if (!each.batch) return "none";
    return each.batch->batch == 1 ? "any" : with_separators(each.batch->batch);
}

std::string batches_lines(const ModePredictions& mode) {
    std::vector<std::string> batches;
    std::string reason;
    for (const BatchFor& each : mode.batches) {
        batches.push_back(fmt::format("N = {}: {}", each.workers, batch_text(each)));
        if (!each.batch) reason = each.batch.reason();
    }
    return fmt::format("{}: {}{}\n", mode.design, core::join(batches),
                       reason.empty() ? "" : fmt::format(" ({})", reason));
}

std::string network_text(const Predictions& all, const Request& request) {
    std::string text = fmt::format(
        "\nnetworked: images/s of the same workers on machines of {2}, with {0:g} us and {1:g} "
        "GB/s "
        "between them\n(inside a machine as before, then a ring of machines):\n",
        1e6 * request.network->latency_seconds, 1e-9 * request.network->bytes_per_second,
        all.workers_per_machine);
    for (const ModePredictions& mode : all.modes) {
        if (mode.predictor) text += "  " + machines_line(mode, all);
    }
    return text;
}

Json prediction_json(const Prediction& prediction) {
    return {{"machines", prediction.machines},
            {"step_seconds", prediction.step.seconds},
            {"step_seconds_range", prediction.step.interval95},
            {"images_per_second", prediction.images_per_second},
            {"images_per_second_range", throughput(prediction)},
            {"speedup", prediction.speedup},
            {"efficiency", prediction.efficiency}};
}

Json exchange_json(const ModePredictions& mode) {
    if (!mode.exchange) return nullptr;
    return {{"reduction", mode.reduction},
            {"gradient_bytes", mode.gradient_bytes},
            {"alpha_seconds", mode.exchange->alpha_seconds()},
            {"beta_seconds_per_byte", mode.exchange->beta_seconds_per_byte()},
            {"gamma_seconds_per_byte", mode.exchange->gamma_seconds_per_byte()},
            {"rows", mode.exchange->rows()},
            {"relative_deviation", mode.exchange->relative_deviation()}};
}

Json held_out_json(const statistics::HeldOut& check) {
    return {{"workers", check.workers},
            {"predicted_step_seconds", check.predicted_seconds},
            {"measured_step_seconds", check.measured_seconds},
            {"relative_error", check.relative_error}};
}

Json measured_json(const MeasuredPoint& each) {
    return {{"workers", each.workers},
            {"batch_size", each.batch},
            {"repetitions", each.repetitions.size()}};
}

Json row_json(const PredictedWorkers& each) {
    Json json{{"workers", each.workers}, {"predicted", true}};
    json.update(prediction_json(each.prediction));
    json["networked"] = each.networked ? prediction_json(*each.networked) : Json(nullptr);
    return json;
}

Json batch_json(const BatchFor& each) {
    return {{"workers", each.workers},
            {"batch_size", each.batch ? Json(each.batch->batch) : Json(nullptr)},
            {"efficiency", each.batch ? Json(each.batch->efficiency) : Json(nullptr)},
            {"reason", refusal_of(each.batch)}};
}

Json mode_json(const ModePredictions& mode) {
    const auto& predictor = mode.predictor;
    return {{"design", mode.design},
            {"measured", json_list(mode.measured, measured_json)},
            {"exchange", exchange_json(mode)},
            {"refused", refusal_of(predictor)},
            {"assumption", predictor ? Json(predictor->assumption()) : Json(nullptr)},
            {"held_out", predictor ? held_out_json(predictor->held_out()) : Json(nullptr)},
            {"batch_size", predictor ? Json(mode.batch) : Json(nullptr)},
            {"predictions", json_list(mode.predictions, row_json)},
            {"batches", json_list(mode.batches, batch_json)},
            {"machines_that_pay", mode.machines_that_pay}};
}

}  // namespace

std::string format_predictions(const Predictions& predictions, const Request& request) {
    std::string text;
    for (const ModePredictions& mode : predictions.modes) text += calibration_lines(mode);
    const bool any = std::ranges::any_of(
        predictions.modes, [](const auto& mode) { return mode.predictor.has_value(); });
    if (any) {
        std::vector<std::string> designs;
        for (const ModePredictions& mode : predictions.modes) designs.push_back(mode.design);
        const std::size_t width = design_width(designs);
        text += "\n" + header(request, width);
        for (const ModePredictions& mode : predictions.modes) {
            for (const PredictedWorkers& each : mode.predictions) text += row(mode, each, width);
        }
        text +=
            "\nSpeedup: images/s over those of one worker of the same mode, with the same batch. "
            "Efficiency: speedup / N.\n";
        if (request.network) text += network_text(predictions, request);
        text += fmt::format("\nBatch per worker that would hold an efficiency of {:g} %:\n",
                            100.0 * request.efficiency);
        for (const ModePredictions& mode : predictions.modes) {
            if (mode.predictor) text += "  " + batches_lines(mode);
        }
    }
    text.pop_back();
    return text;
}

Json to_json(const Predictions& predictions, const Request& request) {
    Json document{
        {"schema", "dp_compare.predict/2"},
        {"folder", request.folder.empty() ? Json(nullptr) : Json(request.folder.string())},
        {"network", nullptr},
        {"efficiency", request.efficiency},
        {"designs", json_list(predictions.modes, mode_json)}};
    if (request.network) {
        document["network"] = {{"latency_seconds", request.network->latency_seconds},
                               {"bytes_per_second", request.network->bytes_per_second},
                               {"workers_per_machine", predictions.workers_per_machine}};
    }
    return document;
}

}  // namespace dp::experiments::predict
