#include "experiments/analysis/winner.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "experiments/analysis/analysis.hpp"
#include "experiments/analysis/test_family.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

struct Part {
    std::string_view name;
    double (*of_run)(const statistics::TimeParts& parts);
};

constexpr std::array<Part, 4> kParts{{
    {"computing",
     [](const statistics::TimeParts& of) { return of.load + of.forward + of.backward + of.other; }},
    {"transfer",
     [](const statistics::TimeParts& of) { return of.transfer_exposed + of.transfer_hidden; }},
    {"wait", [](const statistics::TimeParts& of) { return of.wait + of.publish; }},
    {"update", [](const statistics::TimeParts& of) { return of.update; }},
}};

using Group = std::vector<const Configuration*>;

/// The configurations of each N that are held against each other.
std::vector<Group> groups_of(const Analysis& analysis) {
    std::vector<Group> groups;
    for (const Configuration& each : analysis.configurations) {
        if (each.workers == 1 || each.oversubscribed || each.takes_turns ||
            !each.images_per_second || each.settings.empty() || !mode_of(each.design).exchanges)
            continue;
        const bool goes_on = !groups.empty() && groups.back().front()->workers == each.workers &&
                             groups.back().front()->settings == each.settings;
        if (!goes_on) groups.emplace_back();
        groups.back().push_back(&each);
    }
    std::erase_if(groups, [](const Group& group) { return group.size() < 2; });
    return groups;
}

/// `value` of the first of each pair and the second.
std::vector<double> of_pairs(const Configuration& first, const Configuration& second, auto value) {
    std::vector<double> values;
    for (const auto& [one, other] : paired_runs(first.runs, second.runs)) {
        values.push_back(value(one->result, other->result));
    }
    return values;
}

double log_ratio(const core::RunResult& first, const core::RunResult& second) {
    return std::log(first.images_per_second() / second.images_per_second());
}

double part_of_step(const Part& part, const core::RunResult& result) {
    return part.of_run(time_parts(result)) / steps_of(result);
}

/// `of_run` of a step of the rival less one of the winner, pair by pair.
std::vector<double> step_differences(const Configuration& winner, const Configuration& rival,
                                     auto of_run) {
    return of_pairs(rival, winner, [&](const core::RunResult& one, const core::RunResult& other) {
        return of_run(one) - of_run(other);
    });
}

Rival make_rival(const Configuration& winner, const Configuration& other) {
    Rival rival;
    rival.design = other.design;
    rival.slower = statistics::summarise(
        of_pairs(winner, other, [](const core::RunResult& one, const core::RunResult& two) {
            return 1.0 - two.images_per_second() / one.images_per_second();
        }));
    rival.step_seconds = statistics::summarise(step_differences(
        winner, other, [](const core::RunResult& result) { return result.step_seconds(); }));
    for (std::size_t i = 0; i < kParts.size(); ++i) {
        rival.parts[i].name = kParts[i].name;
        rival.parts[i].seconds = statistics::summarise(step_differences(
            winner, other,
            [&](const core::RunResult& result) { return part_of_step(kParts[i], result); }));
    }
    return rival;
}

/// Marks what is shown of all winners' rivals.
void judge(const std::vector<Group>& groups, std::vector<Winner>& winners,
           const Analysis& analysis) {
    TestFamily speeds;
    TestFamily parts;
    std::vector<std::pair<Rival*, std::size_t>> places;
    std::vector<std::pair<LostPart*, std::size_t>> part_places;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const Configuration* const winner = winners[i].configuration;
        for (const Configuration* one : groups[i]) {
            for (const Configuration* two : groups[i]) {
                if (one >= two || one == winner || two == winner) continue;
                speeds.add(of_pairs(*one, *two, log_ratio));
            }
        }
        for (Rival& rival : winners[i].rivals) {
            const Configuration& other = *analysis.find(rival.design, winner->workers);
            places.emplace_back(&rival, speeds.add(of_pairs(*winner, other, log_ratio)));
            for (std::size_t p = 0; p < kParts.size(); ++p) {
                const auto of_run = [&](const core::RunResult& result) {
                    return part_of_step(kParts[p], result);
                };
                part_places.emplace_back(&rival.parts[p],
                                         parts.add(step_differences(*winner, other, of_run)));
            }
        }
    }
    speeds.judge();
    parts.judge();
    for (const auto& [rival, place] : places) {
        rival->judged = speeds.judged(place);
        rival->shown = speeds.shown(place) && rival->slower.median > 0.0;
    }
    for (const auto& [part, place] : part_places) {
        part->shown = parts.shown(place) && part->seconds.median > 0.0;
    }
}

}  // namespace

const LostPart* Rival::reason() const {
    const LostPart* longest = nullptr;
    for (const LostPart& each : parts) {
        if (!each.shown) continue;
        if (longest == nullptr || each.seconds.median > longest->seconds.median) longest = &each;
    }
    return longest;
}

std::vector<Winner> find_winners(const Analysis& analysis) {
    const std::vector<Group> groups = groups_of(analysis);
    std::vector<Winner> winners;
    for (const Group& group : groups) {
        Winner& winner = winners.emplace_back();
        winner.configuration = *std::ranges::max_element(
            group, {}, [](const Configuration* each) { return each->images_per_second->median; });
        for (const Configuration* each : group) {
            if (each == winner.configuration ||
                paired_runs(winner.configuration->runs, each->runs).empty())
                continue;
            winner.rivals.push_back(make_rival(*winner.configuration, *each));
        }
    }
    judge(groups, winners, analysis);
    return winners;
}

}  // namespace dp::experiments::analysis
