#include "experiments/report/findings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

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

/// "threads/tree 3.1 % slower". The first design of a mode leads each of its comparisons.
std::string describe_second(const Comparison& each) {
    const double ratio = 1.0 / each.ratio.median;
    return fmt::format("{} {:.1f} % {}", each.second, 100.0 * std::abs(ratio - 1.0),
                       ratio > 1.0 ? "faster" : "slower");
}

/// The designs of a mode against its first, those of one N in a sentence.
std::string describe_designs(std::span<const Comparison* const> all) {
    std::vector<std::string> shown, not_shown, not_judged;
    for (const Comparison* each : all) {
        if (!each->adjusted_p) {
            not_judged.push_back(describe_second(*each));
        } else if (each->difference_shown()) {
            shown.push_back(describe_second(*each));
        } else {
            not_shown.push_back(each->second);
        }
    }
    std::vector<std::string> parts;
    if (!shown.empty()) parts.push_back(core::join(shown));
    if (!not_shown.empty()) parts.push_back("no difference shown for " + core::join(not_shown));
    if (!not_judged.empty()) {
        parts.push_back("too few pairs to judge: " + core::join(not_judged));
    }
    return fmt::format("N = {}, against {}: {}.", all.front()->workers, all.front()->first,
                       core::join(parts, "; "));
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
        const bool goes_on = !designs.empty() && same_mode(each.first, each.second) &&
                             designs.front()->workers == each.workers &&
                             designs.front()->first == each.first;
        if (!goes_on) add_designs();
        if (same_mode(each.first, each.second)) {
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
    for (const std::string& mode : analysis.designs) {
        const Configuration* each = analysis.largest(mode);
        if (each == nullptr) continue;
        const statistics::Scaling& scaling = *each->scaling;
        speedups.push_back(fmt::format("{} reach {} with N = {} ({} of ideal)", mode,
                                       with_interval(scaling.speedup, 2), each->workers,
                                       percent_with_interval(scaling.efficiency)));
    }
    if (speedups.empty()) return "";
    return fmt::format("Speedup: {}{}.", core::join(speedups), brackets_note(analysis));
}

}  // namespace

std::string interval_names(const Analysis& analysis) {
    std::set<std::size_t> samples;
    for (const Configuration& each : analysis.configurations) {
        if (each.runs.size() > 1) samples.insert(each.runs.size());
    }
    if (samples.empty()) return "";
    const std::string first = interval_name(*samples.begin());
    if (interval_name(*samples.rbegin()) == first) return first;
    return core::join(samples, " or ", [](std::size_t n) {
        return fmt::format("{} ({} repetitions)", interval_name(n), n);
    });
}

std::string brackets_note(const Analysis& analysis) {
    const std::string names = interval_names(analysis);
    return names.empty() ? "" : "; in brackets the " + names;
}

std::string describe(const Comparison& comparison) {
    const statistics::Summary& ratio = comparison.ratio;
    const std::string& first = comparison.first;
    const std::string& second = comparison.second;
    if (!comparison.adjusted_p) {
        return fmt::format(
            "N = {}: {} trained {:.3f} times as many images a second as {} in {} pair{} of runs: "
            "too few to say how sure that is.",
            comparison.workers, first, ratio.median, second, ratio.n, ratio.n == 1 ? "" : "s");
    }
    const std::string of = fmt::format("median of {} pairs, {}", ratio.n, interval_name(ratio.n));
    if (!comparison.difference_shown()) {
        const double share = comparison.detectable_share();
        return fmt::format(
            "N = {}: no difference shown between {} and {} (ratio of images/s {:.3f}, {} {:.3f} to "
            "{:.3f}). {} would have been shown in 4 cases of 5.",
            comparison.workers, first, second, ratio.median, of, ratio.interval->low,
            ratio.interval->high,
            share < 1.0 ? fmt::format("A difference of {}", percent(share))
                        : "With so few pairs, only one of more than 100 %");
    }
    const bool ahead = ratio.median > 1.0;
    const auto faster_by = [&](double value) {
        return fmt::format("{:.1f}", 100.0 * ((ahead ? value : 1.0 / value) - 1.0));
    };
    const auto [low, high] = *ratio.interval;
    return fmt::format("N = {}: {} are {} % faster than {} ({} {} to {} %).", comparison.workers,
                       ahead ? first : second, faster_by(ratio.median), ahead ? second : first, of,
                       faster_by(ahead ? low : high), faster_by(ahead ? high : low));
}

std::string amount_of(const Aspect& aspect, double value) {
    if (aspect.unit == "s") return seconds(value);
    return aspect.unit == "bytes" ? bytes(value) : number(value);
}

std::string describe(const Contrast& contrast) {
    std::vector<std::string> first;
    std::vector<std::string> second;
    std::vector<std::string> none;
    for (const AspectComparison& each : contrast.aspects) {
        const statistics::Summary& difference = each.difference;
        if (!each.difference_shown()) {
            none.emplace_back(each.aspect->name);
            continue;
        }
        const bool first_less = difference.median < 0.0;
        const auto text = [&](double value) {
            return amount_of(*each.aspect, first_less ? -value : value);
        };
        const auto [low, high] = *difference.interval;
        (first_less ? first : second)
            .push_back(fmt::format("{} ({}{}, {} {} to {})", each.aspect->name,
                                   text(difference.median), each.aspect->of_step ? " a step" : "",
                                   interval_name(difference.n), text(first_less ? high : low),
                                   text(first_less ? low : high)));
    }
    std::vector<std::string> parts;
    const auto add = [&](const std::string& what, const std::vector<std::string>& names) {
        if (!names.empty()) parts.push_back(what + core::join(names));
    };
    add(fmt::format("less with {}: ", contrast.first), first);
    add(fmt::format("less with {}: ", contrast.second), second);
    add("no difference shown in ", none);
    return fmt::format("N = {}, {} against {}: {}.", contrast.workers, contrast.first,
                       contrast.second, core::join(parts, "; "));
}

namespace {

/// Who had the CPUs while workers that had work were off them. None is named who accounts for less
/// than half of that time.
std::string describe_takers(const CpuTakers& takers) {
    struct Taker {
        double seconds;
        const char* had;
    };
    const std::array all{
        Taker{takers.others.value_or(0.0), "other programs had the CPUs, for {} of CPU time"},
        Taker{takers.steal.value_or(0.0), "the hypervisor had the CPUs, for {}"},
        Taker{takers.throttled.value_or(0.0),
              "the control group's quota stopped the workers, for {}"}};
    const Taker& most = *std::ranges::max_element(all, {}, &Taker::seconds);
    const std::string who = most.seconds < 0.5 * takers.off_cpu
                                ? "it was not found who had the CPUs"
                                : fmt::format(fmt::runtime(most.had), seconds(most.seconds));
    return fmt::format(" Over all repetitions workers that had work were off the CPUs for {}: {}.",
                       seconds(takers.off_cpu), who);
}

std::string describe_ceiling(const ModeWaterfall& each) {
    if (!each.ceiling) return "";
    const auto text = [](const statistics::Summary& summary) {
        return with_interval(summary, [](double value) {
            return value < 0.0 ? "-" + seconds(-value) : seconds(value);
        });
    };
    return fmt::format(
        " Of the time of warm steps alone, {} serial runs at once, which have nothing to do with "
        "each "
        "other, lose {} against ideal, the machine's share; the design loses {} beyond that.",
        each.waterfall.workers, text(each.ceiling->machine_seconds),
        text(each.ceiling->design_seconds));
}

}  // namespace

std::string describe(const ModeWaterfall& each) {
    const std::string sentence =
        statistics::describe(each.waterfall, each.design) + describe_ceiling(each);
    const auto cause = each.waterfall.main_cause();
    const bool preempted =
        cause && cause->shown && cause->part.cause == statistics::Cause::kPreemption;
    return preempted ? sentence + describe_takers(each.takers) : sentence;
}

std::string describe_baseline(const Analysis& analysis) {
    const std::string usual = core::join(modes_that(&Mode::is_baseline), " or ");
    for (const std::string& mode : analysis.designs) {
        const Configuration* baseline = analysis.baseline_of(mode);
        if (baseline == nullptr) continue;
        if (mode_of(baseline->design).is_baseline) {
            return fmt::format("T(1) is the time of {}, one worker without any exchange.",
                               baseline->design);
        }
        return fmt::format("There is no run of {}, so T(1) is each design's own with N = 1.",
                           usual);
    }
    return fmt::format(
        "There is no run with N = 1, so there is neither a speedup nor an efficiency: add {} to "
        "--mode.",
        usual);
}

std::vector<std::string> describe_stragglers(const Analysis& analysis) {
    std::vector<std::string> found;
    bool any_judged = false;
    std::vector<std::pair<std::string, std::vector<std::string>>> not_judged;  // by reason
    for (const Configuration& each : analysis.configurations) {
        if (!several_ranks(each)) continue;
        const StragglerVerdict& verdict = each.straggler;
        any_judged = any_judged || verdict.not_judged.empty();
        if (verdict.named) found.push_back(describe(*verdict.named, each.design, each.workers));
        if (verdict.not_judged.empty()) continue;
        auto same = std::ranges::find_if(
            not_judged, [&](const auto& reason) { return reason.first == verdict.not_judged; });
        if (same == not_judged.end()) {
            same = not_judged.insert(same, {verdict.not_judged, {}});
        }
        same->second.push_back(each.name());
    }
    if (found.empty() && any_judged) found.emplace_back("No rank stands out as a straggler.");
    for (const auto& [reason, names] : not_judged) {
        found.push_back(
            fmt::format("Stragglers: not judged for {}: {}.", core::join(names, "; "), reason));
    }
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
    const auto keep_one_each = [](std::vector<std::size_t>& all) {
        std::ranges::sort(all);
        const auto repeated = std::ranges::unique(all);
        all.erase(repeated.begin(), repeated.end());
    };
    keep_one_each(equal);
    keep_one_each(different);
    std::erase_if(equal, [&](std::size_t workers) {
        return std::ranges::find(different, workers) != different.end();
    });
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
    for (const Contrast& each : analysis.contrasts) {
        const bool shown = std::ranges::any_of(each.aspects, &AspectComparison::difference_shown);
        if (each.judged() && (shown || !same_mode(each.first, each.second)))
            findings.push_back(describe(each));
    }
    for (const ModeWaterfall& each : analysis.waterfalls) {
        if (!analysis.leads(each.design)) continue;  // the report has those of all
        findings.push_back(describe(each));
    }
    for (const std::string& sentence : describe_stragglers(analysis)) {
        findings.push_back(sentence);
    }
    const std::string correctness = describe_correctness(analysis);
    if (!correctness.empty()) findings.push_back(correctness);
    return findings;
}

}  // namespace dp::experiments::report
