#include "experiments/diff/table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/statistics/multiple_tests.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::diff {
namespace {

/// Two digits that matter; a p-value of 0 does not exist.
std::string p_text(double p) { return fmt::format("{:.2g}", p); }

std::string folder_line(const char* which, const ResultsFolder& results) {
    std::string line = fmt::format("{}  {}: {} runs", which, results.folder.string(),
                                   with_separators(results.runs.size()));
    if (!results.failed.empty()) {
        line += fmt::format(", {} failed and left out", results.failed.size());
    }
    return line + "\n";
}

std::string where(const SetupDifference& difference) {
    const auto& names = difference.configurations;
    return names.empty() ? "" : fmt::format("  ({})", core::join(names));
}

std::string setup_lines(const FolderComparison& comparison, bool affects_speed) {
    std::string text;
    for (const SetupDifference& difference : comparison.setup) {
        if (difference.affects_speed != affects_speed) continue;
        text += fmt::format("  {:<20}  {} -> {}{}\n", difference.field, difference.before,
                            difference.after, where(difference));
    }
    return text;
}

std::string warning(const FolderComparison& comparison) {
    if (comparison.comparable()) return "";
    return "\nWARNING: the set-ups differ in what changes the speed by itself, so a difference "
           "below\nneed not come from the program:\n" +
           setup_lines(comparison, /*affects_speed=*/true);
}

constexpr const char* kRowFormat =
    "{:<8} {:>3}  {:>9}  {:>9}  {:>12}  {:>14}  {:>5}  {:>7}  {:>8}  {}\n";

std::string header() {
    return fmt::format(kRowFormat, "mode", "N", "before", "after", "after/before", "95 % range",
                       "reps", "p", "adjusted", "verdict");
}

std::string row(const Comparison& each) {
    const auto& range = each.test.ratio95;
    return fmt::format(kRowFormat, each.mode, each.workers, count(each.before.median),
                       count(each.after.median), fmt::format("{:.3f}", each.ratio),
                       range ? fmt::format("{:.3f} to {:.3f}", range->low, range->high) : "",
                       fmt::format("{}, {}", each.before.n, each.after.n),
                       p_text(each.test.p_value), each.adjusted_p ? p_text(*each.adjusted_p) : "",
                       name_of(each.verdict));
}

std::string too_few_note(const FolderComparison& comparison) {
    double least_p = 1.0;
    std::size_t too_few = 0;
    for (const Comparison& each : comparison.comparisons) {
        if (each.verdict != Verdict::kTooFew) continue;
        least_p = std::min(least_p, each.test.least_p_value);
        ++too_few;
    }
    if (too_few == 0) return "";
    const std::size_t tests = comparison.judged();
    return fmt::format(
        "Too few repetitions: with the clearest difference they can reach p = {}, and to show one "
        "of\n{} at the level of {} it takes less than {}: repeat each {} times (--reps {}).\n",
        p_text(least_p), tests, comparison.alpha,
        p_text(comparison.alpha / static_cast<double>(tests)), comparison.repetitions_needed(),
        comparison.repetitions_needed());
}

std::string notes(const FolderComparison& comparison) {
    std::string text =
        "before, after: images/s, medians over the repetitions. p: how often chance alone would "
        "make\nsuch a difference (permutation test)";
    const std::size_t tests = comparison.judged();
    text += tests > 1 ? fmt::format("; adjusted for {} tests (Holm).\n", tests) : ".\n";
    text += fmt::format("A difference is shown where {} is below {}.\n",
                        tests > 1 ? "the adjusted p" : "p", comparison.alpha);
    const auto& all = comparison.comparisons;
    if (std::ranges::any_of(all, [](const auto& each) { return !each.test.ratio95; })) {
        text += "Ranges need four repetitions on both sides.\n";
    }
    if (tests < all.size()) {
        text +=
            "Oversubscribed rows had more workers than usable CPUs and are not judged: they show "
            "the scheduler.\n";
    }
    return text + too_few_note(comparison);
}

std::string names_line(const char* what, const std::vector<std::string>& names) {
    return names.empty() ? "" : fmt::format("{}: {}\n", what, core::join(names));
}

}  // namespace

std::string describe(const Comparison& comparison) {
    const double change = comparison.ratio - 1.0;
    return fmt::format("{} N = {}: {:.1f} % {} (p {})", comparison.mode, comparison.workers,
                       100.0 * std::abs(change), change < 0.0 ? "slower" : "faster",
                       p_text(comparison.adjusted_p.value_or(comparison.test.p_value)));
}

std::string format_comparison(const ResultsFolder& before, const ResultsFolder& after,
                              const FolderComparison& comparison) {
    std::string text = folder_line("before", before) + folder_line("after ", after);
    text += warning(comparison);
    if (!comparison.comparisons.empty()) {
        text += "\n" + header();
        for (const Comparison& each : comparison.comparisons) text += row(each);
        text += "\n" + notes(comparison);
    }
    const std::string others = setup_lines(comparison, /*affects_speed=*/false);
    if (!others.empty()) text += "\nElse the set-ups differ in:\n" + others;
    for (const ChecksumChange& change : comparison.checksums) {
        text += fmt::format(
            "Checksum of {} changed at equal settings, {} -> {}: the arithmetic is another.\n",
            change.configuration, change.before, change.after);
    }
    text += names_line("Only before", comparison.only_before);
    text += names_line("Only after", comparison.only_after);
    text += names_line("Without training, not compared", comparison.without_training);
    return text;
}

}  // namespace dp::experiments::diff
