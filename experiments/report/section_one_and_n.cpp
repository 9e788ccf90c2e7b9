// One worker beside the most that have a CPU each, with the impact in words; the times of
// epochs.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "experiments/modes.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

/// "8.1 % longer, for 2 times the images".
std::string iteration_impact(const Configuration& one, const Configuration& several) {
    const double ratio =
        several.metrics->iteration_seconds.median / one.metrics->iteration_seconds.median;
    const auto images = [](const Configuration& each) {
        return static_cast<double>(global_batch(each.runs.front().settings.config));
    };
    return fmt::format("{} {}, for {:g} times the images", percent(std::abs(ratio - 1.0)),
                       ratio < 1.0 ? "shorter" : "longer", images(several) / images(one));
}

void add_pair(Table& table, const Configuration& one, const Configuration& several) {
    const auto add = [&](const char* metric, std::string first, std::string second,
                         std::string impact) {
        table.rows.push_back({{fmt::format("{}, N = {}", several.design, several.workers), metric,
                               std::move(first), std::move(second), std::move(impact)}});
    };
    const Metrics& of_one = *one.metrics;
    const Metrics& of = *several.metrics;
    add("exchange calls an epoch", "none", count(of.exchange_calls_per_epoch),
        fmt::format("{:g} a step",
                    of.exchange_calls_per_epoch / static_cast<double>(several.steps_per_epoch)));
    add("communication time, of the run", seconds(of_one.exchange_seconds.median),
        with_interval(of.exchange_seconds, seconds),
        fmt::format("{} of training",
                    percent(of.exchange_seconds.median / several.train_seconds->median)));
    add("iteration time", with_interval(of_one.iteration_seconds, seconds),
        with_interval(of.iteration_seconds, seconds), iteration_impact(one, several));
    if (of.compute_to_communication) {
        add("computing / communication", "", with_interval(*of.compute_to_communication, number),
            of.compute_to_communication->median >= 1.0 ? "computing weighs more"
                                                       : "communication weighs more");
    }
    if (of.effective_speedup) {
        add("effective speedup",
            of_one.effective_speedup ? with_interval(*of_one.effective_speedup, 2) : "",
            with_interval(*of.effective_speedup, 2),
            fmt::format(
                "{} of ideal, start-up and evaluation included",
                percent(of.effective_speedup->median / static_cast<double>(several.workers), 0)));
    }
}

/// The first design of each mode with the most workers that have a CPU each.
std::vector<const Configuration*> leaders(const Analysis& analysis) {
    std::vector<const Configuration*> chosen;
    for (const std::string& design : analysis.designs) {
        const Configuration* each = analysis.largest(design);
        if (each != nullptr && analysis.leads(design) && each->metrics && each->train_seconds &&
            each->steps_per_epoch > 0)
            chosen.push_back(each);
    }
    return chosen;
}

}  // namespace

void add_one_and_several(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    Table table{"One worker beside the most that have a CPU each: medians",
                {{"design", Align::kLeft},
                 {"metric", Align::kLeft},
                 {"N = 1"},
                 {"with N"},
                 {"impact", Align::kLeft}}};
    for (const Configuration* each : leaders(analysis)) {
        const Configuration* one = analysis.baseline_of(each->design);
        if (one == nullptr || !one->metrics || !mode_of(each->design).exchanges) continue;
        add_pair(table, *one, *each);
    }
    document.add_if_any(table);
}

void add_epochs(Document& document, const Material& material) {
    Table table{
        "Seconds of training of an epoch, over the epochs of all repetitions: the first "
        "epoch is among them",
        {{"design", Align::kLeft},
         {"N"},
         {"epochs"},
         {"mean"},
         {"standard deviation"},
         {"shortest"},
         {"longest"}},
        {},
        kOversubscribedMark};
    for (const Configuration& each : material.analysis.configurations) {
        std::vector<double> times;
        for (const Run& run : each.runs) {
            for (const core::EpochResult& epoch : run.result.epochs) {
                times.push_back(epoch.train_seconds);
            }
        }
        if (times.size() < 2 || each.runs.front().result.epochs.size() < 2) continue;
        const double n = static_cast<double>(times.size());
        double mean = 0.0;
        for (const double time : times) mean += time / n;
        double squares = 0.0;
        for (const double time : times) squares += (time - mean) * (time - mean);
        const auto [least, most] = std::ranges::minmax(times);
        table.rows.push_back(
            {{each.design, fmt::to_string(each.workers), fmt::to_string(times.size()),
              seconds(mean), seconds(std::sqrt(squares / (n - 1.0))), seconds(least),
              seconds(most)},
             each.oversubscribed});
    }
    document.add_if_any(table);
}

}  // namespace dp::experiments::report
