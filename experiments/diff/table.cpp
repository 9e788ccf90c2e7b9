#include "experiments/diff/table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
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
    "{:<{}} {:>3}  {:>9}  {:>9}  {:>12}  {:>14}  {:>7}  {:>7}  {:>8}  {}\n";

std::string header(Design design, std::size_t width) {
    return fmt::format(kRowFormat, "design", width, "N", "before", "after", "after/before",
                       "95 % range", samples_name(design), "p", "adjusted", "verdict");
}

std::string row(const Comparison& each, std::size_t width) {
    const auto& range = each.test.ratio95;
    return fmt::format(kRowFormat, each.design, width, each.workers, count(each.before.median),
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
    const double alpha = comparison.terms.alpha;
    return fmt::format(
        "Too few {}: with the clearest difference they can reach p = {}, and to show one of\n{} at "
        "the level of {} it takes less than {}: {}.\n",
        samples_name(comparison.terms.design), p_text(least_p), tests, alpha,
        p_text(alpha / static_cast<double>(tests)), cure_of_too_few(comparison));
}

/// What the test takes for granted.
std::string assumption(const Terms& terms) {
    switch (terms.design) {
        case Design::kFolders:
            return "Each folder counts once, by its median. p: how often chance alone would make "
                   "such a\ndifference (permutation test of folders)";
        case Design::kPairs:
            return "Each pair counts once. p: how often chance alone would make such a difference "
                   "(permutation\ntest of the pairs' signs)";
        case Design::kRuns:
            break;
    }
    if (terms.between_sweeps) {
        return fmt::format(
            "Sweeps of one program are taken to differ by {:g} % (standard deviation), as "
            "--between-sweeps\nsays. p: how often chance alone would make such a difference "
            "(Student's test)",
            100.0 * *terms.between_sweeps);
    }
    return "The test takes both folders to have met the same machine. Sweeps minutes apart often "
           "did not,\nand then show differences where there are none: say by how much sweeps of "
           "one "
           "program differ\n(--between-sweeps 3%), compare several folders a side, or measure both "
           "programs in turn with\ndp_compare ab. p: how often chance alone would make such a "
           "difference (permutation test)";
}

std::string notes(const FolderComparison& comparison) {
    std::string text = "before, after: images/s, medians. " + assumption(comparison.terms);
    const std::size_t tests = comparison.judged();
    text += tests > 1 ? fmt::format("; adjusted for {} tests (Holm).\n", tests) : ".\n";
    text += fmt::format(
        "A difference is shown where {} is below {}, and the means, which are tested, differ as "
        "the\nmedians do.\n",
        tests > 1 ? "the adjusted p" : "p", comparison.terms.alpha);
    const auto& all = comparison.comparisons;
    if (std::ranges::any_of(all, [](const auto& each) { return !each.test.ratio95; })) {
        text += "Ranges need more of them.\n";
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

std::string describe_regression(const Comparison& comparison) {
    return fmt::format("{} N = {}: {:.1f} % slower (p {})", comparison.design, comparison.workers,
                       100.0 * (1.0 - comparison.ratio),
                       p_text(comparison.adjusted_p_slower.value_or(1.0)));
}

std::string_view samples_name(Design design) {
    switch (design) {
        case Design::kRuns:
            return "runs";
        case Design::kFolders:
            return "folders";
        case Design::kPairs:
            break;
    }
    return "pairs";
}

std::string cure_of_too_few(const FolderComparison& comparison) {
    const std::size_t needed = comparison.samples_needed().value();
    switch (comparison.terms.design) {
        case Design::kRuns:
            return fmt::format("measure both folders with --reps {} or more", needed);
        case Design::kFolders:
            return fmt::format("measure {} folders or more on each side", needed);
        case Design::kPairs:
            break;
    }
    return fmt::format("measure {} pairs or more (--pairs {})", needed, needed);
}

std::string format_comparison(const ResultsFolder& before, const ResultsFolder& after,
                              const FolderComparison& comparison) {
    std::string text = folder_line("before", before) + folder_line("after ", after);
    text += warning(comparison);
    if (!comparison.comparisons.empty()) {
        std::vector<std::string> designs;
        for (const Comparison& each : comparison.comparisons) designs.push_back(each.design);
        const std::size_t width = design_width(designs);
        text += "\n" + header(comparison.terms.design, width);
        for (const Comparison& each : comparison.comparisons) text += row(each, width);
        text += "\n" + notes(comparison);
    }
    const std::string others = setup_lines(comparison, /*affects_speed=*/false);
    if (!others.empty()) text += "\nThe set-ups also differ in:\n" + others;
    for (const ChecksumChange& change : comparison.checksums) {
        text += fmt::format(
            "Checksum of {} changed at equal settings, {} -> {}: the arithmetic differs.\n",
            change.configuration, change.before, change.after);
    }
    text += names_line("Only before", comparison.only_before);
    text += names_line("Only after", comparison.only_after);
    text += names_line("Without training, not compared", comparison.without_training);
    return text;
}

}  // namespace dp::experiments::diff
