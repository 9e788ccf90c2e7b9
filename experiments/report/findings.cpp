#include "experiments/report/findings.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

bool several_ranks(const Configuration& each) {
    return each.images_per_second && each.runs.front().result.workers.size() > 1;
}

/// "2" or "2 and 4" or "1, 2 and 4".
std::string list_of(const std::vector<std::size_t>& numbers) {
    const std::span all(numbers);
    if (all.size() < 2) return core::join(all, "");
    return fmt::format("{} and {}", core::join(all.first(all.size() - 1)), all.back());
}

bool of_one_mode(const Comparison& each) {
    return mode_of(each.first).name == mode_of(each.second).name;
}

/// "threads/tree 3.1 % slower". The first design of a mode leads each of its comparisons.
std::string describe_second(const Comparison& each) {
    const double ratio = 1.0 / each.ratio.ratio;
    return fmt::format("{} {:.1f} % {}", each.second, 100.0 * std::abs(ratio - 1.0),
                       ratio > 1.0 ? "faster" : "slower");
}

/// The designs of a mode against its first, those of one N in a sentence.
std::string describe_designs(std::span<const Comparison* const> all) {
    std::vector<std::string> shown;
    std::vector<std::string> not_shown;
    for (const Comparison* each : all) {
        if (each->ratio.difference_shown) {
            shown.push_back(describe_second(*each));
        } else {
            not_shown.push_back(each->second);
        }
    }
    std::string text =
        fmt::format("N = {}, against {}: ", all.front()->workers, all.front()->first);
    text += core::join(shown);
    if (!not_shown.empty()) {
        text += fmt::format("{}no difference shown for {}", shown.empty() ? "" : "; ",
                            core::join(not_shown));
    }
    return text + ".";
}

/// Modes among each other one by one, the designs of a mode together.
std::vector<std::string> describe_comparisons(const Analysis& analysis) {
    std::vector<std::string> found;
    std::vector<const Comparison*> designs;
    const auto add_designs = [&] {
        if (designs.size() == 1) found.push_back(describe(*designs.front()));
        if (designs.size() > 1) found.push_back(describe_designs(designs));
        designs.clear();
    };
    for (const Comparison& each : analysis.comparisons) {
        if (each.oversubscribed || each.workers == 1) continue;
        const bool goes_on = !designs.empty() && of_one_mode(each) &&
                             designs.front()->workers == each.workers &&
                             designs.front()->first == each.first;
        if (!goes_on) add_designs();
        if (of_one_mode(each)) {
            designs.push_back(&each);
        } else {
            found.push_back(describe(each));
        }
    }
    add_designs();
    return found;
}

std::string describe_speedups(const Analysis& analysis) {
    std::vector<std::string> speedups;
    for (const std::string& mode : analysis.modes) {
        const Configuration* each = analysis.largest(mode);
        if (each == nullptr) continue;
        const statistics::Scaling& scaling = *each->scaling;
        speedups.push_back(
            fmt::format("{} reach {} with N = {} ({} of ideal)", mode,
                        with_interval(scaling.speedup.value, scaling.speedup.interval95),
                        each->workers, percent(scaling.efficiency.value, 0)));
    }
    return speedups.empty() ? "" : fmt::format("Speedup: {}.", core::join(speedups));
}

}  // namespace

std::string describe(const Comparison& comparison) {
    const statistics::PairedRatio& ratio = comparison.ratio;
    const std::string& first = comparison.first;
    const std::string& second = comparison.second;
    if (!ratio.interval95) {
        return fmt::format(
            "N = {}: {} trained {:.3f} times as many images a second as {} in the one pair of runs "
            "there is; how sure that is, one pair cannot tell.",
            comparison.workers, first, ratio.ratio, second);
    }
    const std::string mean = fmt::format("geometric mean of {} pairs", ratio.pairs);
    if (!ratio.difference_shown) {
        return fmt::format(
            "N = {}: no difference shown between {} and {} (ratio of images/s {:.3f}, {}, 95 % "
            "interval {:.3f} to {:.3f}).",
            comparison.workers, first, second, ratio.ratio, mean, ratio.interval95->low,
            ratio.interval95->high);
    }
    const bool ahead = ratio.ratio > 1.0;
    const auto percent = [&](double value) {
        return fmt::format("{:.1f}", 100.0 * ((ahead ? value : 1.0 / value) - 1.0));
    };
    const auto [low, high] = *ratio.interval95;
    return fmt::format("N = {}: {} are {} % faster than {} ({}, 95 % interval {} to {} %).",
                       comparison.workers, ahead ? first : second, percent(ratio.ratio),
                       ahead ? second : first, mean, percent(ahead ? low : high),
                       percent(ahead ? high : low));
}

std::string describe_baseline(const Analysis& analysis) {
    const std::string usual = core::join(modes_that(&Mode::is_baseline), " or ");
    for (const std::string& mode : analysis.modes) {
        const Configuration* baseline = analysis.baseline_of(mode);
        if (baseline == nullptr) continue;
        if (mode_of(baseline->mode).is_baseline) {
            return fmt::format("T(1) is the time of {}, one worker without any exchange.",
                               baseline->mode);
        }
        return fmt::format("There is no run of {}, so T(1) is each mode's own with N = 1.", usual);
    }
    return fmt::format(
        "There is no run with N = 1, so there is neither a speedup nor an efficiency: add {} to "
        "--mode.",
        usual);
}

std::vector<std::string> describe_stragglers(const Analysis& analysis) {
    std::vector<std::string> found;
    bool any = false;
    for (const Configuration& each : analysis.configurations) {
        any = any || several_ranks(each);
        const core::RunResult& first = each.runs.front().result;
        if (first.times_left_out) {
            found.push_back(fmt::format("{}: who comes last is not told: {}.", each.name(),
                                        describe_clocks(first)));
        }
        if (!each.straggler) continue;
        found.push_back(describe(*each.straggler, each.mode, each.workers) +
                        (each.oversubscribed ? " It had more workers than CPUs." : ""));
    }
    if (found.empty() && any) found.emplace_back("No rank stands out as a straggler.");
    return found;
}

std::string describe_correctness(const Analysis& analysis) {
    std::vector<std::size_t> equal;
    std::vector<std::size_t> different;
    for (const Correctness& each : analysis.correctness) {
        if (!each.equal()) {
            different.insert(different.end(), each.workers.begin(), each.workers.end());
        } else if (each.runs > 1) {
            equal.insert(equal.end(), each.workers.begin(), each.workers.end());
        }
    }
    std::string text;
    if (!equal.empty()) {
        text =
            fmt::format("All runs of N = {}{} ended with equal parameters, bit for bit.",
                        list_of(equal), analysis.unordered.empty() ? "" : " that add in one order");
    }
    if (!different.empty()) {
        text += fmt::format("{}Runs of N = {} ended with different parameters: {}.",
                            text.empty() ? "" : " ", list_of(different),
                            analysis.differences.empty() ? "no row of theirs can be trusted"
                                                         : "they had different settings");
    }
    if (!analysis.unordered.empty()) {
        text += fmt::format(
            "{}{} add{} in no fixed order, so that the last bits of the parameters differ from run "
            "to run: they are not compared.",
            text.empty() ? "" : " ", core::join(analysis.unordered, " and "),
            analysis.unordered.size() == 1 ? "s" : "");
    }
    return text;
}

std::vector<std::string> find_findings(const Analysis& analysis) {
    std::vector<std::string> findings;
    const std::string speedups = describe_speedups(analysis);
    if (!speedups.empty()) findings.push_back(speedups);
    for (const std::string& sentence : describe_comparisons(analysis)) {
        findings.push_back(sentence);
    }
    for (const ModeWaterfall& each : analysis.waterfalls) {
        findings.push_back(statistics::describe(each.waterfall, each.mode));
    }
    for (const std::string& sentence : describe_stragglers(analysis)) {
        findings.push_back(sentence);
    }
    const std::string correctness = describe_correctness(analysis);
    if (!correctness.empty()) findings.push_back(correctness);
    return findings;
}

}  // namespace dp::experiments::report
