#include "experiments/analysis/comparison.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "experiments/analysis/analysis.hpp"
#include "experiments/modes.hpp"

namespace dp::experiments::analysis {
namespace {

/// Modes that take turns have no speed to compare.
bool is_comparable(const Configuration& each) {
    return each.images_per_second && !each.takes_turns;
}

/// Whether `each` is the first design of its mode with its N, where Analysis::leads() asks for that
/// of the sweep: not every design has runs of every N.
bool leads_its_n(std::span<const Configuration> all, const Configuration& each) {
    const auto first = std::ranges::find_if(all, [&](const Configuration& other) {
        return other.workers == each.workers && same_mode(other.design, each.design);
    });
    return &*first == &each;
}

/// Chosen before anything was measured: the first designs of two modes, and every other design with
/// the first of its mode. All pairs of many designs would drown what a reader asks.
bool are_compared(std::span<const Configuration> all, const Configuration& one,
                  const Configuration& other) {
    if (same_mode(one.design, other.design))
        return leads_its_n(all, one) || leads_its_n(all, other);
    return leads_its_n(all, one) && leads_its_n(all, other);
}

std::optional<Comparison> compare(const Configuration& first, const Configuration& second) {
    std::vector<double> ratios;
    for (const auto& [one, other] : paired_runs(first.runs, second.runs)) {
        ratios.push_back(one->result.images_per_second() / other->result.images_per_second());
    }
    if (ratios.empty()) return std::nullopt;
    return Comparison{{statistics::paired_test(statistics::logarithms(ratios))},
                      first.workers,
                      first.oversubscribed || second.oversubscribed,
                      first.design,
                      second.design,
                      statistics::summarise(ratios)};
}

}  // namespace

std::vector<std::pair<const Run*, const Run*>> paired_runs(std::span<const Run> first,
                                                           std::span<const Run> second) {
    std::vector<std::pair<const Run*, const Run*>> pairs;
    for (const Run& run : first) {
        const auto other = std::ranges::find(second, run.repetition, &Run::repetition);
        if (other != second.end()) pairs.emplace_back(&run, &*other);
    }
    return pairs;
}

double Comparison::detectable_share() const { return std::expm1(detectable()); }

std::string Comparison::verdict() const {
    if (oversubscribed) return "oversubscribed, not judged";
    if (!adjusted_p) return "too few pairs to judge";
    if (!difference_shown()) return "no difference shown";
    return fmt::format("{} are faster", ratio.median > 1.0 ? first : second);
}

std::vector<Comparison> compare_designs(std::span<const Configuration> configurations) {
    std::vector<Comparison> comparisons;
    for (std::size_t i = 0; i < configurations.size(); ++i) {
        for (const Configuration& second : configurations.subspan(i + 1)) {
            const Configuration& first = configurations[i];
            if (first.workers != second.workers || first.settings != second.settings ||
                !is_comparable(first) || !is_comparable(second) ||
                !are_compared(configurations, first, second)) {
                continue;
            }
            if (auto comparison = compare(first, second)) comparisons.push_back(*comparison);
        }
    }
    std::vector<statistics::JudgedTest*> family;
    for (Comparison& each : comparisons) {
        if (!each.oversubscribed) family.push_back(&each);
    }
    statistics::judge(family);
    return comparisons;
}

}  // namespace dp::experiments::analysis
