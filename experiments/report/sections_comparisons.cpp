// Two designs of one N held against each other: images/s, and where they differ.
#include <fmt/format.h>

#include "experiments/report/findings.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

std::string p_text(const std::optional<double>& p) { return p ? fmt::format("{:.2g}", *p) : ""; }

std::vector<Column> columns_with(std::vector<Column> more) {
    more.insert(more.begin(), {{"N"}, {"designs", Align::kLeft}});
    return more;
}

Table rates_table(const Analysis& analysis) {
    Table table{
        "images/s of one design over another's: medians of the ratios of pairs, which are runs "
        "of one repetition" +
            brackets_note(analysis),
        columns_with(
            {{"pairs"}, {"ratio"}, {"adjusted p"}, {"would be shown"}, {"verdict", Align::kLeft}}),
        {},
        kOversubscribedMark};
    for (const Comparison& each : analysis.comparisons) {
        table.rows.push_back(
            {{fmt::to_string(each.workers), fmt::format("{} over {}", each.first, each.second),
              fmt::to_string(each.ratio.n), with_interval(each.ratio, 3), p_text(each.adjusted_p),
              each.adjusted_p ? percent(each.detectable_share()) : "", each.verdict()},
             each.oversubscribed});
    }
    return table;
}

std::string verdict_of(const Contrast& contrast, const AspectComparison& each) {
    if (!each.adjusted_p) return "too few pairs to judge";
    if (!each.difference_shown()) return "no difference shown";
    return "less with " + (each.difference.median < 0.0 ? contrast.first : contrast.second);
}

Table contrasts_table(const Analysis& analysis) {
    Table table{
        "What a step (or, where it says so, the run) costs in two designs, and the difference, "
        "first less second, pair by pair: medians" +
            brackets_note(analysis),
        columns_with({{"cost", Align::kLeft},
                      {"first"},
                      {"second"},
                      {"difference"},
                      {"adjusted p"},
                      {"would be shown"},
                      {"verdict", Align::kLeft}})};
    for (const Contrast& contrast : analysis.contrasts) {
        for (const AspectComparison& each : contrast.aspects) {
            const auto text = [&](double value) { return amount_of(*each.aspect, value); };
            table.rows.push_back(
                {{fmt::to_string(contrast.workers),
                  fmt::format("{}, {}", contrast.first, contrast.second),
                  fmt::format("{}{}", each.aspect->name,
                              each.aspect->of_step ? "" : ", of the run"),
                  text(each.first.median), text(each.second.median),
                  with_interval(each.difference, text), p_text(each.adjusted_p),
                  each.adjusted_p ? text(each.detectable()) : "", verdict_of(contrast, each)}});
        }
    }
    return table;
}

}  // namespace

void add_comparisons(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    if (analysis.comparisons.empty()) return;
    document.add(Heading{2, "Who wins where", "comparisons"});
    document.add(rates_table(analysis));
    if (analysis.contrasts.empty()) return;
    List sentences;
    for (const Contrast& each : analysis.contrasts) {
        if (each.judged()) sentences.items.emplace_back(describe(each));
    }
    document.add_if_any(sentences);
    document.add_if_any(contrasts_table(analysis));
    document.add(Paragraph{
        "The noise of a whole step can hide what a part of it costs, so each is compared by "
        "itself. "
        "Transfer is moving and adding gradients, hidden or not; wait is for other workers, also "
        "until all have updated; context switches are a worker's in a step; memory is of all "
        "processes. Under \"would be shown\" stands the difference that as many pairs of such a "
        "spread show in 4 cases of 5."});
}

}  // namespace dp::experiments::report
