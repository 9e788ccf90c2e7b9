#include "experiments/diff/diff.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/diff/table.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/json.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments::diff {
namespace {

using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

Json folder_json(const ResultsFolder& results) {
    return {{"folder", results.folder.string()},
            {"runs", results.runs.size()},
            {"failed", results.failed.size()}};
}

Json setup_json(const SetupDifference& difference) {
    return {{"section", difference.section},
            {"field", difference.field},
            {"before", difference.before},
            {"after", difference.after},
            {"affects_speed", difference.affects_speed},
            {"configurations", difference.configurations}};
}

Json checksum_json(const ChecksumChange& each) {
    return {{"configuration", each.configuration}, {"before", each.before}, {"after", each.after}};
}

Json comparison_json(const Comparison& each, const Terms& terms) {
    const auto& range = each.test.ratio95;
    return {{"design", each.design},
            {"workers", each.workers},
            {"oversubscribed", each.oversubscribed},
            {"repetitions_before", each.before.n},
            {"repetitions_after", each.after.n},
            {"images_per_second_before", each.before.median},
            {"images_per_second_after", each.after.median},
            {"ratio", each.ratio},
            {"ratio_low", range ? Json(range->low) : Json(nullptr)},
            {"ratio_high", range ? Json(range->high) : Json(nullptr)},
            {"p_value", each.test.p_value},
            {"least_p_value", each.test.least_p_value},
            {"adjusted_p_value", each.adjusted_p},
            {"verdict", name_of(each.verdict)},
            {"adjusted_p_slower", each.adjusted_p_slower},
            {"regression", terms.fail_above ? Json(each.regression) : Json(nullptr)}};
}

/// A comparison that cannot show a difference must not pass for one that found none.
void check_judged(const FolderComparison& comparison, double fail_above) {
    const std::string what =
        fmt::format("--fail-above {:g} % could not be judged: ", 100.0 * fail_above);
    const auto& all = comparison.comparisons;
    if (all.empty()) {
        throw Error(ExitCode::kNotJudged, "{}no configuration trained in both folders", what);
    }
    if (comparison.judged() == 0) {
        throw Error(ExitCode::kNotJudged,
                    "{}every configuration has more workers than usable CPUs: measure fewer "
                    "workers",
                    what);
    }
    if (std::ranges::all_of(all, [](const Comparison& each) {
            return each.can_regress || each.verdict == Verdict::kNotJudged;
        })) {
        return;
    }
    throw Error(ExitCode::kNotJudged, "{}{} are too few to show that one is: {}", what,
                samples_name(comparison.terms.design), cure_of_too_few(comparison));
}

void fail_on_regression(const FolderComparison& comparison, double fail_above) {
    const auto regressions = find_regressions(comparison);
    if (regressions.empty()) return check_judged(comparison, fail_above);
    throw Error(ExitCode::kRegression, "slower by more than {:g} %: {}{}", 100.0 * fail_above,
                core::join(regressions, "; ", describe_regression),
                comparison.comparable() ? "" : "; but the set-ups differ, see the warning above");
}

}  // namespace

Json to_json(const ResultsFolder& before, const ResultsFolder& after,
             const FolderComparison& comparison) {
    return {{"schema", "dp_compare.diff/2"},
            {"before", folder_json(before)},
            {"after", folder_json(after)},
            {"alpha", comparison.terms.alpha},
            {"fail_above", comparison.terms.fail_above},
            {"samples", samples_name(comparison.terms.design)},
            {"between_sweeps", comparison.terms.between_sweeps},
            {"comparable", comparison.comparable()},
            {"repetitions_needed", comparison.samples_needed()},
            {"configurations", json_list(comparison.comparisons,
                                         [&](const Comparison& each) {
                                             return comparison_json(each, comparison.terms);
                                         })},
            {"setup", json_list(comparison.setup, setup_json)},
            {"checksums", json_list(comparison.checksums, checksum_json)},
            {"only_before", comparison.only_before},
            {"only_after", comparison.only_after},
            {"without_training", comparison.without_training}};
}

ResultsFolder read_side(const std::vector<std::filesystem::path>& folders) {
    ResultsFolder side;
    for (const auto& folder : folders) {
        ResultsFolder one = read_results(folder);
        std::ranges::move(one.runs, std::back_inserter(side.runs));
        std::ranges::move(one.failed, std::back_inserter(side.failed));
    }
    ResultsFolder sorted =
        results_of(core::join(folders, ", ", [](const auto& folder) { return folder.string(); }),
                   std::move(side.runs));
    sorted.failed = std::move(side.failed);
    return sorted;
}

void compare_and_tell(const Request& request) {
    const analysis::Analysis before = analysis::analyse(read_side(request.before));
    const analysis::Analysis after = analysis::analyse(read_side(request.after));
    const FolderComparison comparison = compare_folders(before, after, request.terms);
    std::string text = format_comparison(before.results, after.results, comparison);
    text.pop_back();
    print_line(text);
    if (!request.json.empty()) {
        write_json(request.json, to_json(before.results, after.results, comparison));
    }
    if (request.terms.fail_above) fail_on_regression(comparison, *request.terms.fail_above);
}

void run_diff(const Request& request) {
    Request chosen = request;
    const bool single = request.before.size() == 1 && request.after.size() == 1;
    chosen.terms.design = single ? Design::kRuns : Design::kFolders;
    compare_and_tell(chosen);
}

}  // namespace dp::experiments::diff
