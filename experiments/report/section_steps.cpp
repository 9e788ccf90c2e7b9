// Single steps: how long they took, who held them up, and one of them traced.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "experiments/modes.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

Table steps_table(const Analysis& analysis) {
    Table table{
        "Single steps, without cold ones: medians of the repetitions" + brackets_note(analysis),
        {{"design", Align::kLeft},
         {"N"},
         {"steps"},
         {"cold"},
         {"p50"},
         {"p95"},
         {"p99"},
         {"longest of all"},
         {"autocorrelation"}},
        {},
        kOversubscribedMark};
    const auto plain_number = [](double value) { return fmt::format("{:g}", value); };
    const auto quantile = [](const std::optional<statistics::Summary>& summary) {
        return summary ? with_interval(*summary, seconds) : "";
    };
    for (const Configuration& each : analysis.configurations) {
        if (!each.steps) continue;
        const StepFigures& of = *each.steps;
        table.rows.push_back(
            {{each.design, fmt::to_string(each.workers),
              count(static_cast<double>(of.seconds.size())), with_interval(of.cold, plain_number),
              quantile(of.p50_seconds), quantile(of.p95_seconds), quantile(of.p99_seconds),
              seconds(of.maximum_seconds()),
              of.autocorrelation ? with_interval(*of.autocorrelation, 2) : ""},
             each.oversubscribed});
    }
    return table;
}

}  // namespace

void add_steps(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    const Table table = steps_table(analysis);
    const auto stragglers = describe_stragglers(analysis);
    if (table.rows.empty() && stragglers.empty() && analysis.traces.empty()) return;
    document.add(Heading{2, "Step by step", "steps"});
    if (!table.rows.empty()) {
        document.add(Paragraph{fmt::format(
            "A step lasts as long as its slowest rank's. Cold are the first steps of a run, as "
            "many as leave the rest with the least standard error (White's MSER, 1997, with "
            "stalls cut at Tukey's fences), if they are slower than three quarters of the rest; "
            "they are left out of images/s and of all that is made of it. p95 is told of {} steps "
            "or more, p99 of {}. Where the autocorrelation r of neighbouring steps is above 0, the "
            "mean of n steps is known no better than that of n (1 - r) / (1 + r) independent ones: "
            "the intervals are over repetitions, not steps.",
            kFewestForP95, kFewestForP99)});
    }
    material.add_figure(document, "steps");
    document.add_if_any(table);
    if (!stragglers.empty()) {
        document.add(Heading{3, "Stragglers", "stragglers"});
        document.add(List(stragglers));
        document.add(Paragraph{straggler_rule()});
    }
    if (analysis.traces.empty()) return;
    document.add(Heading{3, "One step, traced", "timeline"});
    for (const auto& [mode, trace] : analysis.traces) {
        material.add_figure(document, "timeline-" + in_file_name(mode));
    }
}

}  // namespace dp::experiments::report
