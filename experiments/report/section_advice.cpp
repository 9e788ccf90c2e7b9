// What to use: the best N of each design and where more workers stop to help, and a choice by goal.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/analysis/advice.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

constexpr std::size_t kMostNames = 6;

/// "threads, N = 4, oversubscribed".
std::string name_of(const Configuration& each) {
    return each.name() + (each.oversubscribed ? ", oversubscribed" : "");
}

std::string names_of(const std::vector<const Configuration*>& all) {
    if (all.size() > kMostNames) {
        return fmt::format("{} and {} others", name_of(*all.front()), all.size() - 1);
    }
    return core::join(all, "; ", [](const Configuration* each) { return name_of(*each); });
}

/// The smallest and the largest N of a design.
std::pair<std::size_t, std::size_t> range_of(const Analysis& analysis, const std::string& design) {
    std::vector<std::size_t> counts;
    for (const Configuration& each : analysis.configurations) {
        if (each.design == design) counts.push_back(each.workers);
    }
    const auto [least, most] = std::ranges::minmax(counts);
    return {least, most};
}

/// Which N of a design is the fastest, and from which on more workers are not shown to help.
std::string describe_best(const Analysis& analysis, const Choice& choice) {
    const Configuration& best = *choice.best;
    const std::string fastest =
        fmt::format("{} trains the most images/s of all N measured, {} by the median",
                    name_of(best), count(choice.value));
    if (!choice.not_judged.empty()) {
        return fastest + "; too few pairs of runs to say where more workers stop to help.";
    }
    const auto [smallest, largest] = range_of(analysis, best.design);
    if (best.workers == smallest) return fastest + "; no larger N is shown to help.";
    std::size_t plateau = best.workers;
    for (const Configuration* each : choice.not_worse) plateau = std::min(plateau, each->workers);
    const bool larger_is_as_good = std::ranges::any_of(
        choice.not_worse, [&](const Configuration* each) { return each->workers > best.workers; });
    if (plateau < best.workers) {
        return fmt::format(
            "{}; N = {} is the smallest that is not shown to be slower, so as far as these runs "
            "can "
            "tell the plateau begins there.",
            fastest, plateau);
    }
    return fmt::format("{}; every smaller N is shown to be slower, {}.", fastest,
                       best.workers == largest ? "so no plateau was reached"
                       : larger_is_as_good
                           ? "and no larger one is told apart from it: the plateau begins there"
                           : "and so is every larger one: beyond it, more workers lose");
}

std::string value_of(const Goal& goal) {
    if (goal.unit == "bytes") return bytes(goal.choice.value);
    return goal.unit == "share" ? percent(goal.choice.value, 0)
                                : count(goal.choice.value) + " images/s";
}

std::string others_of(const Choice& choice) {
    std::vector<std::string> parts;
    if (!choice.not_worse.empty()) parts.push_back(names_of(choice.not_worse));
    if (!choice.not_judged.empty()) {
        parts.push_back(fmt::format("{} with too few pairs to judge",
                                    choice.not_judged.size() == 1
                                        ? "one other"
                                        : fmt::format("{} others", choice.not_judged.size())));
    }
    return parts.empty() ? "none" : core::join(parts, "; ");
}

}  // namespace

void add_advice(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    const auto best = find_best_workers(analysis);
    const auto goals = find_goals(analysis);
    if (best.empty() && goals.empty()) return;
    document.add(Heading{2, "What to use", "advice"});
    List sentences;
    for (const Choice& each : best) {
        // Those of many designs would say little of each.
        if (analysis.leads(each.best->design)) {
            sentences.items.emplace_back(describe_best(analysis, each));
        }
    }
    document.add_if_any(sentences);
    Table table{"By goal, among what was measured here",
                {{"goal", Align::kLeft},
                 {"use", Align::kLeft},
                 {"median"},
                 {"not shown to be worse", Align::kLeft}}};
    for (const Goal& goal : goals) {
        table.rows.push_back(
            {{goal.name == "time" ? "time" : fmt::format("{}, N above 1", goal.name),
              name_of(*goal.choice.best), value_of(goal), others_of(goal.choice)}});
    }
    if (const auto equal = accuracy_in_equal_time(analysis)) {
        const TimedAccuracy& first = equal->reached.front();
        std::vector<std::string> as_good;
        for (const TimedAccuracy& each : equal->reached) {
            if (&each != &first && each.test_accuracy == first.test_accuracy) {
                as_good.push_back(name_of(*each.configuration));
            }
        }
        table.rows.push_back(
            {{fmt::format("accuracy after {} of training (first repetition)",
                          seconds(equal->seconds)),
              name_of(*first.configuration), percent(first.test_accuracy, 2),
              fmt::format("{}not judged, for all are of one seed",
                          as_good.empty() ? "" : "equal: " + core::join(as_good, "; ") + "; ")}});
    }
    document.add_if_any(table);
    document.add(Paragraph{
        "The best by the median is held against every other one, pair by pair of runs; what is not "
        "shown to be worse, with Holm's correction over all pairs, may be as good."});
}

}  // namespace dp::experiments::report
