// The models: scaling laws, the exchange's cost, predictions, isoefficiency, all-reduce.
#include <algorithm>

#include <fmt/format.h>

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

void add_exchange(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{3, "The exchange", "exchange-model"});
    document.add(Paragraph{
        "An exchange costs alpha seconds for each message or counter that a worker waits for in "
        "turn, beta for each byte it moves and gamma for each byte it adds (Thakur, Rabenseifner "
        "and Gropp, 2005), calibrated by timing the reductions alone."});
    material.add_figure(document, "allreduce");
    Table table{"Calibrated costs",
                {{"design", Align::kLeft},
                 {"reduction", Align::kLeft},
                 {"rows"},
                 {"alpha"},
                 {"1 / beta"},
                 {"1 / gamma"},
                 {"deviation"}}};
    List refused;
    const auto rate = [](double seconds_per_byte) {
        return seconds_per_byte > 0.0 ? fmt::format("{}/s", bytes(1.0 / seconds_per_byte)) : "";
    };
    for (const ModeModels& models : analysis.models) {
        if (!models.exchange) {
            refused.items.emplace_back(
                fmt::format("{}: no model, {}.", models.design, models.exchange.reason()));
            continue;
        }
        const ExchangeModel& model = *models.exchange;
        const auto gamma = model.gamma_seconds_per_byte();
        table.rows.push_back(
            {{models.design, std::string(model.reduction()), fmt::to_string(model.rows()),
              seconds(model.alpha_seconds()), rate(model.beta_seconds_per_byte()),
              gamma ? rate(*gamma) : "", percent(model.relative_deviation(), 0)}});
    }
    document.add_if_any(table);
    document.add_if_any(refused);
}

void add_predictions(Document& document, const Analysis& analysis) {
    document.add(Heading{3, "Predictions", "predictions"});
    Table table{
        "Predicted, not measured: with more workers of one machine, the batch per worker as at the "
        "largest N measured, speedup over the design's own N = 1",
        {{"design", Align::kLeft},
         {"N"},
         {"step, predicted"},
         {"images/s, predicted"},
         {"speedup, predicted"},
         {"efficiency, predicted"}}};
    List notes;
    for (const ModeModels& models : analysis.models) {
        if (!models.predictor) {
            notes.items.emplace_back(
                fmt::format("{}: no prediction, {}.", models.design, models.predictor.reason()));
            continue;
        }
        const HeldOut& check = models.predictor->held_out();
        notes.items.emplace_back(
            fmt::format("{}: it assumes that {}. Check: made without the runs of N = {}, the model "
                        "says {} a step "
                        "there; "
                        "measured are {} ({:+.1f} %).",
                        models.design, models.predictor->assumption(), check.workers,
                        seconds(check.predicted_seconds), seconds(check.measured_seconds),
                        100.0 * check.relative_error));
        for (const Prediction& each : models.predictions) {
            table.rows.push_back(
                {{models.design, fmt::to_string(each.workers),
                  fmt::format("{} [{}, {}]", seconds(each.step.seconds),
                              seconds(each.step.interval95.low),
                              seconds(each.step.interval95.high)),
                  count(each.images_per_second), fmt::format("{:.1f}", each.speedup),
                  percent(each.efficiency, 0)}});
        }
    }
    document.add_if_any(table);
    document.add_if_any(notes);
}

void add_isoefficiency(Document& document, const Analysis& analysis) {
    Table table{
        fmt::format("The least batch per worker that the model gives an efficiency of {}; "
                    "predicted",
                    percent(kTargetEfficiency, 0)),
        {{"design", Align::kLeft}, {"N"}, {"batch per worker, predicted"}, {"N was measured"}}};
    List refused;
    for (const ModeModels& models : analysis.models) {
        bool told = false;  // one N without such a batch says it for those beyond
        for (const IsoPoint& point : models.isoefficiency) {
            if (!point.batch) {
                if (!told) {
                    refused.items.emplace_back(fmt::format("{}, N = {}: none, {}.", models.design,
                                                           point.workers, point.batch.reason()));
                }
                told = true;
                continue;
            }
            table.rows.push_back(
                {{models.design, fmt::to_string(point.workers),
                  count(static_cast<double>(point.batch->batch)), point.measured ? "yes" : "no"}});
        }
    }
    if (table.rows.empty() && refused.items.empty()) return;
    document.add(Heading{3, "Isoefficiency", "isoefficiency"});
    document.add(Paragraph{
        "The exchange and the update cost the same whatever the batch, computing grows with it: a "
        "larger batch holds efficiency for more workers (Grama, Gupta and Kumar, 1993)."});
    document.add_if_any(table);
    document.add_if_any(refused);
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
    add_isoefficiency(document, analysis);
}

}  // namespace dp::experiments::report
