#include "experiments/report/findings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {
namespace {

bool several_ranks(const Configuration& each) {
    return each.images_per_second && each.runs.front().result.workers.size() > 1;
}

/// "2" or "2 and 4" or "1, 2 and 4".
std::string list_of(const std::vector<std::size_t>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        text += i == 0 ? "" : i + 1 == numbers.size() ? " and " : ", ";
        text += fmt::to_string(numbers[i]);
    }
    return text;
}

std::string describe_speedups(const Analysis& analysis) {
    std::string text;
    for (const std::string& mode : analysis.modes) {
        const Configuration* each = analysis.largest(mode);
        if (each == nullptr) continue;
        text += fmt::format(
            "{}{} reach {} with N = {} ({} of ideal)", text.empty() ? "" : ", ", mode,
            with_interval(each->scaling->speedup.value, each->scaling->speedup.interval95),
            each->workers, percent(each->scaling->efficiency.value, 0));
    }
    return text.empty() ? "" : "Speedup: " + text + ".";
}

}  // namespace

std::string describe(const Comparison& comparison) {
    const statistics::PairedRatio& ratio = comparison.threads_over_procs;
    const std::string pairs = fmt::format("{} pair{}", ratio.pairs, ratio.pairs == 1 ? "" : "s");
    if (!ratio.interval95) {
        return fmt::format(
            "N = {}: threads trained {:.3f} times as many images a second as procs "
            "in the one pair of runs there is; how sure that is, one pair cannot "
            "tell.",
            comparison.workers, ratio.ratio);
    }
    if (!ratio.difference_shown) {
        return fmt::format(
            "N = {}: no difference shown between threads and procs (ratio of "
            "images/s {:.3f}, 95 % interval {:.3f} to {:.3f}, {}).",
            comparison.workers, ratio.ratio, ratio.interval95->low, ratio.interval95->high, pairs);
    }
    const bool threads = ratio.ratio > 1.0;
    const auto way = [&](double value) { return threads ? value : 1.0 / value; };
    const double low = way(threads ? ratio.interval95->low : ratio.interval95->high);
    const double high = way(threads ? ratio.interval95->high : ratio.interval95->low);
    return fmt::format(
        "N = {}: {} are {:.1f} % faster than {} (95 % interval {:.1f} to {:.1f} %, "
        "{}).",
        comparison.workers, threads ? "threads" : "procs", 100.0 * (way(ratio.ratio) - 1.0),
        threads ? "procs" : "threads", 100.0 * (low - 1.0), 100.0 * (high - 1.0), pairs);
}

std::vector<std::string> describe_stragglers(const Analysis& analysis) {
    std::vector<std::string> found;
    bool any = false;
    for (const Configuration& each : analysis.configurations) {
        any = any || several_ranks(each);
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
            different.push_back(each.workers);
        } else if (each.runs > 1) {
            equal.push_back(each.workers);
        }
    }
    std::string text;
    if (!equal.empty()) {
        text = fmt::format("All runs of N = {} ended with equal parameters, bit for bit.",
                           list_of(equal));
    }
    if (!different.empty()) {
        text += fmt::format("{}Runs of N = {} ended with different parameters: {}.",
                            text.empty() ? "" : " ", list_of(different),
                            analysis.differences.empty() ? "no row of theirs can be trusted"
                                                         : "they had different settings");
    }
    return text;
}

std::vector<std::string> find_findings(const Analysis& analysis) {
    std::vector<std::string> findings;
    const std::string speedups = describe_speedups(analysis);
    if (!speedups.empty()) findings.push_back(speedups);
    for (const Comparison& each : analysis.comparisons) {
        if (!each.oversubscribed && each.workers > 1) findings.push_back(describe(each));
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
