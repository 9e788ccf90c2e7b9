#include "experiments/diff/comparison.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/statistics/drift.hpp"
#include "experiments/statistics/multiple_tests.hpp"
#include "experiments/statistics/pairs.hpp"
#include "experiments/statistics/permutation.hpp"

namespace dp::experiments::diff {

using analysis::Analysis;
using analysis::Configuration;

namespace {

namespace fs = std::filesystem;

std::string list_of(const Analysis& analysis) {
    return core::join(analysis.configurations, ", ",
                      [](const Configuration& each) { return name_of(each); });
}

/// Images/s of each sample, by the name of its folder where that is one.
std::vector<std::pair<fs::path, double>> samples_of(const Configuration& configuration,
                                                    Design design) {
    std::map<fs::path, std::vector<double>> by_folder;
    std::vector<std::pair<fs::path, double>> samples;
    for (const Run& run : configuration.runs) {
        const double rate = run.result.images_per_second();
        if (rate <= 0.0) continue;
        by_folder[run.file.parent_path()].push_back(rate);
        if (design == Design::kRuns) samples.emplace_back(run.file, rate);
    }
    if (design == Design::kRuns) return samples;
    for (const auto& [folder, rates] : by_folder) {
        samples.emplace_back(folder, statistics::median(rates));
    }
    return samples;
}

struct Sides {
    std::vector<double> before, after;
};

/// Of pairs those that both sides have.
Sides sides_of(const Pair& pair, Design design) {
    const auto before = samples_of(pair.before, design);
    const auto after = samples_of(pair.after, design);
    Sides sides;
    if (design != Design::kPairs) {
        for (const auto& [name, rate] : before) sides.before.push_back(rate);
        for (const auto& [name, rate] : after) sides.after.push_back(rate);
        return sides;
    }
    for (const auto& [folder, rate] : before) {
        const auto other = std::ranges::find_if(
            after, [&](const auto& each) { return each.first.filename() == folder.filename(); });
        if (other == after.end()) continue;
        sides.before.push_back(rate);
        sides.after.push_back(other->second);
    }
    return sides;
}

/// Whether sweeps are told to differ, so that runs of one are not independent of each other.
bool allows_for_drift(const Terms& terms) {
    return terms.design == Design::kRuns && terms.between_sweeps;
}

double mean_logarithm(const std::vector<double>& samples) {
    const std::vector<double> logs = statistics::logarithms(samples);
    return std::accumulate(logs.begin(), logs.end(), 0.0) / static_cast<double>(logs.size());
}

Test test_of(const Sides& sides, const Terms& terms) {
    const double limit = 1.0 - terms.fail_above.value_or(0.0);
    const double mean = mean_logarithm(sides.after) - mean_logarithm(sides.before);
    if (allows_for_drift(terms)) {
        const auto test = statistics::drift_test(sides.before, sides.after, *terms.between_sweeps);
        if (test.degrees == 0.0) return {.mean = mean, .ratio95 = {}};
        return {mean, test.p_value(), 0.0, test.ratio95(), test.p_below(limit), 0.0};
    }
    const auto test = terms.design == Design::kPairs
                          ? statistics::paired_permutation_test(sides.before, sides.after)
                          : statistics::permutation_test(sides.before, sides.after);
    return {mean,         test.p_value,        test.least_p_value,
            test.ratio95, test.p_below(limit), test.least_p_below()};
}

double ratio_of(const Sides& sides, Design design) {
    if (design != Design::kPairs) {
        return statistics::median(sides.after) / statistics::median(sides.before);
    }
    std::vector<double> ratios;
    for (std::size_t i = 0; i < sides.before.size(); ++i) {
        ratios.push_back(sides.after[i] / sides.before[i]);
    }
    return statistics::median(ratios);
}

Comparison compare(const Pair& pair, const Sides& sides, const Terms& terms) {
    Comparison result;
    result.design = pair.before.design;
    result.workers = pair.before.workers;
    result.oversubscribed = pair.before.oversubscribed || pair.after.oversubscribed;
    result.before = statistics::summarise(sides.before);
    result.after = statistics::summarise(sides.after);
    result.ratio = ratio_of(sides, terms.design);
    result.test = test_of(sides, terms);
    return result;
}

/// Whether the test `i` would have shown the clearest difference that its samples allow, all others
/// being as they are.
bool can_show(std::vector<double> p_values, std::size_t i, double least_p_value, double alpha) {
    p_values[i] = least_p_value;
    return statistics::holm_adjusted(p_values)[i] < alpha;
}

void decide(std::vector<Comparison>& all, const Terms& terms) {
    std::vector<Comparison*> judged;
    std::vector<double> p_values;
    std::vector<double> p_slower;
    for (Comparison& each : all) {
        if (each.oversubscribed) {
            each.verdict = Verdict::kNotJudged;
            continue;
        }
        judged.push_back(&each);
        p_values.push_back(each.test.p_value);
        p_slower.push_back(each.test.p_slower);
    }
    const std::vector<double> adjusted = statistics::holm_adjusted(p_values);
    const std::vector<double> adjusted_slower = statistics::holm_adjusted(p_slower);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        Comparison& each = *judged[i];
        each.adjusted_p = adjusted[i];
        if (adjusted[i] < terms.alpha && (each.test.mean < 0.0) == (each.ratio < 1.0)) {
            each.verdict = each.ratio < 1.0 ? Verdict::kSlower : Verdict::kFaster;
        } else {
            each.verdict = can_show(p_values, i, each.test.least_p_value, terms.alpha)
                               ? Verdict::kNotShown
                               : Verdict::kTooFew;
        }
        if (!terms.fail_above) continue;
        each.adjusted_p_slower = adjusted_slower[i];
        each.regression = adjusted_slower[i] < terms.alpha && each.ratio < 1.0 - *terms.fail_above;
        each.can_regress = can_show(p_slower, i, each.test.least_p_slower, terms.alpha);
    }
}

/// "c9641405858f8035"; several with "or" between, where repetitions differ.
std::string checksums_of(const Configuration& configuration) {
    std::vector<std::string> all;
    for (const Run& run : configuration.runs) all.push_back(run.result.checksum);
    std::ranges::sort(all);
    const auto repeated = std::ranges::unique(all);
    all.erase(repeated.begin(), repeated.end());
    return core::join(all, " or ");
}

/// The same design of `other`; or where each side has but one design of that mode and N, that one:
/// what the two sides differ in may be the reduction.
const Configuration* counterpart(const Configuration& each, const Analysis& own,
                                 const Analysis& other) {
    if (const Configuration* const same = other.find(each.design, each.workers)) return same;
    const auto only = [&](const Analysis& side) -> const Configuration* {
        const Configuration* found = nullptr;
        for (const Configuration& one : side.configurations) {
            if (one.workers != each.workers || !same_mode(one.design, each.design)) continue;
            if (found != nullptr) return nullptr;
            found = &one;
        }
        return found;
    };
    return only(own) != nullptr ? only(other) : nullptr;
}

std::vector<Pair> find_pairs(const Analysis& before, const Analysis& after,
                             FolderComparison& result) {
    std::vector<Pair> pairs;
    for (const Configuration& each : before.configurations) {
        const Configuration* const other = counterpart(each, before, after);
        if (other == nullptr) {
            result.only_before.push_back(name_of(each));
        } else {
            pairs.push_back({each, *other});
        }
    }
    for (const Configuration& each : after.configurations) {
        if (counterpart(each, after, before) == nullptr) {
            result.only_after.push_back(name_of(each));
        }
    }
    if (!pairs.empty()) return pairs;
    throw core::Error(core::ExitCode::kUsage,
                      "{} ({}) and {} ({}) have no configuration in common: compare folders of "
                      "equal --mode and -n",
                      before.results.folder.string(), list_of(before),
                      after.results.folder.string(), list_of(after));
}

}  // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::kSlower:
            return "slower";
        case Verdict::kFaster:
            return "faster";
        case Verdict::kNotShown:
            return "no difference shown";
        case Verdict::kTooFew:
            return "too few repetitions";
        case Verdict::kNotJudged:
            break;
    }
    return "oversubscribed";
}

bool FolderComparison::comparable() const {
    return std::ranges::none_of(setup, &SetupDifference::affects_speed);
}

std::size_t FolderComparison::judged() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        comparisons, [](const Comparison& each) { return each.adjusted_p.has_value(); }));
}

std::optional<std::size_t> FolderComparison::samples_needed() const {
    if (judged() == 0) return std::nullopt;
    if (allows_for_drift(terms)) return 2;  // what Student's test takes
    return terms.design == Design::kPairs ? statistics::pairs_needed(judged(), terms.alpha)
                                          : statistics::samples_needed(judged(), terms.alpha);
}

FolderComparison compare_folders(const Analysis& before, const Analysis& after,
                                 const Terms& terms) {
    FolderComparison result;
    result.terms = terms;
    const std::vector<Pair> pairs = find_pairs(before, after, result);
    result.setup = find_setup_differences(pairs);
    for (const Pair& pair : pairs) {
        const Sides sides = sides_of(pair, terms.design);
        if (sides.before.empty() || sides.after.empty()) {
            result.without_training.push_back(name_of(pair.before));
        } else {
            result.comparisons.push_back(compare(pair, sides, terms));
        }
        const std::string sum_before = checksums_of(pair.before);
        const std::string sum_after = checksums_of(pair.after);
        if (sum_before != sum_after && promises_equal_checksums(pair)) {
            result.checksums.push_back({name_of(pair.before), sum_before, sum_after});
        }
    }
    decide(result.comparisons, terms);
    return result;
}

std::vector<Comparison> find_regressions(const FolderComparison& comparison) {
    std::vector<Comparison> found = comparison.comparisons;
    std::erase_if(found, [](const Comparison& each) { return !each.regression; });
    return found;
}

}  // namespace dp::experiments::diff
