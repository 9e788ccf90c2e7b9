// The models: scaling laws, the exchange in training and alone, predictions.
#include <algorithm>

#include <fmt/format.h>

#include "core/nn/model.hpp"
#include "experiments/modes.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/predictions.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

using namespace statistics;

std::string estimate(const Estimate& of) {
    return fmt::format("{:.4f} ± {:.4f} [{:.4f}, {:.4f}]", of.value, of.standard_error,
                       of.interval95.low, of.interval95.high);
}

void add_laws(Document& document, const Analysis& analysis) {
    document.add(Heading{3, "Scaling laws", "laws"});
    Table table{"Parameters, each with its standard error and 95 % interval",
                {{"design", Align::kLeft},
                 {"law", Align::kLeft},
                 {"points"},
                 {"serial fraction"},
                 {"coherence kappa"},
                 {"most useful N"},
                 {"deviation of S"}}};
    List refused;
    for (const ModeModels& models : analysis.models) {
        for (const LawResult& law : models.laws) {
            const std::string name(row_of(law.law).name);
            if (!law.fit) {
                refused.items.emplace_back(
                    fmt::format("{}, {}: no fit, {}.", models.design, name, law.fit.reason()));
                continue;
            }
            const LawFit& fit = *law.fit;
            table.rows.push_back(
                {{models.design, name, fmt::to_string(fit.points), estimate(fit.serial),
                  fit.coherence ? estimate(*fit.coherence) : "",
                  fit.peak_workers ? fmt::format("{:.0f}", *fit.peak_workers) : "",
                  fmt::format("{:.3f}", fit.speedup_deviation)}});
        }
    }
    List laws;
    for (const LawRow& row : kLaws) {
        const bool used = std::ranges::any_of(analysis.models, [&](const ModeModels& models) {
            return std::ranges::find(models.laws, row.law, &LawResult::law) != models.laws.end();
        });
        if (!used) continue;
        laws.items.push_back(
            {{strong(std::string(row.name)), plain(": "), code(std::string(row.formula)),
              plain(fmt::format(" ({})", row.source))}});
    }
    document.add(laws);
    document.add(Paragraph{
        "Speedups are those of the tables: what a design loses with one worker against their "
        "baseline counts as serial fraction too."});
    document.add_if_any(table);
    document.add_if_any(refused);
}

/// The median time of `each`'s reduction alone, of as many bytes as a step sums; empty where it was
/// not timed.
std::string time_alone(const Configuration& each, const Analysis& analysis) {
    const core::RunConfig& config = each.runs.front().settings.config;
    const std::size_t gradients = core::find_model(config.model).parameters * sizeof(float);
    for (const allreduce::Row& row : analysis.reductions.rows) {
        if (row.mode == config.mode && row.reduction == each.runs.front().result.reduction &&
            row.workers == each.workers && row.bytes == gradients && row.wrong == 0) {
            return with_interval(scaled(row.time_us, 1e-6), seconds);
        }
    }
    return "";
}

void add_exchange(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{3, "The exchange", "exchange-model"});
    document.add(Paragraph{
        "Sent are the bytes of gradients that a worker sends to others or reads from them in a "
        "step; transfer is its time for that and for the additions, exposed and hidden, without "
        "waiting. Alone, the same reduction meets warm caches and no computing beside it."});
    material.add_figure(document, "allreduce");
    Table table{"The exchange of a step in training, and alone: medians" + brackets_note(analysis),
                {{"design", Align::kLeft},
                 {"N"},
                 {"sent"},
                 {"transfer in training"},
                 {"sent / transfer"},
                 {"alone"}}};
    for (const Configuration& each : analysis.configurations) {
        if (!mode_of(each.design).exchanges || each.workers == 1 || each.oversubscribed ||
            !each.metrics || each.steps_per_epoch == 0) {
            continue;
        }
        const Summary transfer = each.step_seconds(&TimeParts::transfer);
        const double sent = each.sent_bytes_per_step();
        table.rows.push_back({{each.design, fmt::to_string(each.workers), bytes(sent),
                               with_interval(transfer, seconds),
                               transfer.median > 0.0 ? bytes(sent / transfer.median) + "/s" : "",
                               time_alone(each, analysis)}});
    }
    document.add_if_any(table);
}

void add_predictions(Document& document, const Analysis& analysis) {
    document.add(Heading{3, "Predictions", "predictions"});
    document.add_if_any(predictions_table(analysis.models));
    document.add_if_any(prediction_notes(analysis.models, analysis));
}

}  // namespace

void add_models(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    if (analysis.models.empty()) return;
    document.add(Heading{2, "Model", "model"});
    document.add(
        Paragraph{"Fitted to runs with a CPU for each worker; oversubscribed "
                  "configurations are left out."});
    add_laws(document, analysis);
    add_exchange(document, material);
    add_predictions(document, analysis);
}

}  // namespace dp::experiments::report
