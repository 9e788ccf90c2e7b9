#include "experiments/analysis/advice.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "experiments/analysis/analysis.hpp"
#include "experiments/analysis/test_family.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

/// By repetition, of which more is better and all are above 0.
using Values = std::map<std::size_t, double>;

struct Candidate {
    const Configuration* configuration = nullptr;
    Values values = {};
    [[nodiscard]] double median() const {
        std::vector<double> all;
        for (const auto& [repetition, value] : values) all.push_back(value);
        return statistics::median(all);
    }
};

std::vector<double> log_ratios(const Values& first, const Values& second) {
    std::vector<double> ratios;
    for (const auto& [repetition, value] : first) {
        const auto other = second.find(repetition);
        if (other != second.end()) ratios.push_back(std::log(value / other->second));
    }
    return ratios;
}

Choice choose(const std::vector<Candidate>& candidates) {
    const Candidate& best = *std::ranges::max_element(candidates, {}, &Candidate::median);
    TestFamily family;
    std::vector<std::pair<const Candidate*, std::size_t>> against_best;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        for (std::size_t j = i + 1; j < candidates.size(); ++j) {
            const Candidate& one = candidates[i];
            const Candidate& two = candidates[j];
            const bool swapped = &two == &best;
            const std::size_t place = family.add(
                log_ratios(swapped ? two.values : one.values, swapped ? one.values : two.values));
            if (swapped) against_best.emplace_back(&one, place);
            if (&one == &best) against_best.emplace_back(&two, place);
        }
    }
    family.judge();
    Choice choice{best.configuration, best.median(), {}, {}};
    for (const auto& [other, place] : against_best) {
        if (!family.judged(place)) {
            choice.not_judged.push_back(other->configuration);
        } else if (!family.shown(place)) {
            choice.not_worse.push_back(other->configuration);
        }
    }
    return choice;
}

/// Of configurations with training and the settings of the first of them.
std::vector<Candidate> candidates_of(const Analysis& analysis, auto value_of, auto is_wanted) {
    std::vector<Candidate> candidates;
    for (const Configuration& each : analysis.configurations) {
        if (!each.images_per_second || each.takes_turns || each.settings.empty() ||
            !is_wanted(each) ||
            (!candidates.empty() && candidates.front().configuration->settings != each.settings))
            continue;
        Candidate candidate{&each};
        for (const Run& run : each.runs) {
            const std::optional<double> value = value_of(each, run);
            if (value && *value > 0.0) candidate.values[run.repetition] = *value;
        }
        if (!candidate.values.empty()) candidates.push_back(std::move(candidate));
    }
    return candidates;
}

std::optional<double> images_per_second(const Configuration& /*each*/, const Run& run) {
    return run.result.images_per_second();
}

std::optional<double> efficiency(const Configuration& each, const Run& run) {
    for (const auto& [of_run, speedup] : each.speedups) {
        if (of_run == &run) return speedup / static_cast<double>(each.workers);
    }
    return std::nullopt;
}

/// Less is better, so its inverse.
std::optional<double> images_of_memory(const Configuration& /*each*/, const Run& run) {
    const auto bytes = process_bytes(run.result, &core::ProcessMemory::pss_bytes);
    return bytes && *bytes > 0 ? std::optional(1.0 / static_cast<double>(*bytes)) : std::nullopt;
}

bool any(const Configuration& /*each*/) { return true; }
bool several_workers(const Configuration& each) { return each.workers > 1; }

}  // namespace

std::vector<Goal> find_goals(const Analysis& analysis) {
    std::vector<Goal> goals;
    const auto add = [&](std::string_view name, std::string_view unit,
                         const std::vector<Candidate>& candidates) {
        if (candidates.size() > 1) goals.push_back({name, unit, choose(candidates)});
    };
    add("time", "images/s", candidates_of(analysis, images_per_second, any));
    add("efficiency", "share", candidates_of(analysis, efficiency, several_workers));
    add("memory", "bytes", candidates_of(analysis, images_of_memory, several_workers));
    if (!goals.empty() && goals.back().unit == "bytes") {
        goals.back().choice.value = 1.0 / goals.back().choice.value;
    }
    return goals;
}

std::vector<Choice> find_best_workers(const Analysis& analysis) {
    std::vector<Choice> choices;
    for (const std::string& design : analysis.designs) {
        const auto candidates =
            candidates_of(analysis, images_per_second,
                          [&](const Configuration& each) { return each.design == design; });
        if (candidates.size() > 1) choices.push_back(choose(candidates));
    }
    return choices;
}

std::optional<EqualTime> accuracy_in_equal_time(const Analysis& analysis) {
    const auto candidates = candidates_of(analysis, images_per_second, any);
    EqualTime equal{HUGE_VAL, {}};
    bool several_epochs = false;
    const auto first_epochs = [](const Candidate& each) -> const auto& {
        return each.configuration->runs.front().result.epochs;
    };
    for (const Candidate& each : candidates) {
        double seconds = 0.0;
        for (const core::EpochResult& epoch : first_epochs(each)) seconds += epoch.train_seconds;
        equal.seconds = std::min(equal.seconds, seconds);
        several_epochs = several_epochs || first_epochs(each).size() > 1;
    }
    for (const Candidate& each : candidates) {
        TimedAccuracy reached{each.configuration, 0.0, 0};
        double seconds = 0.0;
        for (const core::EpochResult& epoch : first_epochs(each)) {
            seconds += epoch.train_seconds;
            if (seconds > equal.seconds) break;
            reached.test_accuracy = epoch.test_accuracy;
            ++reached.epochs;
        }
        if (reached.epochs > 0) equal.reached.push_back(reached);
    }
    if (!several_epochs || equal.reached.size() < 2) return std::nullopt;
    std::ranges::stable_sort(equal.reached, std::greater<>(), &TimedAccuracy::test_accuracy);
    return equal;
}

}  // namespace dp::experiments::analysis
