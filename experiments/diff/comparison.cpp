#include "experiments/diff/comparison.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/statistics/multiple_tests.hpp"

namespace dp::experiments::diff {

using analysis::Analysis;
using analysis::Configuration;

namespace {

std::string list_of(const Analysis& analysis) {
    return core::join(analysis.configurations, ", ",
                      [](const Configuration& each) { return name_of(each); });
}

std::vector<double> rates_of(const Configuration& configuration) {
    std::vector<double> rates = configuration.rates();
    std::erase_if(rates, [](double rate) { return rate <= 0.0; });
    return rates;
}

Comparison compare(const Pair& pair, std::span<const double> before,
                   std::span<const double> after) {
    Comparison result;
    result.mode = pair.before.mode;
    result.workers = pair.before.workers;
    result.oversubscribed = pair.before.oversubscribed || pair.after.oversubscribed;
    result.before = statistics::summarise(before);
    result.after = statistics::summarise(after);
    result.ratio = result.after.median / result.before.median;
    result.test = statistics::permutation_test(before, after);
    return result;
}

/// Whether the test `i` would have shown the clearest difference that its repetitions allow, all
/// others being as they are.
bool can_show(std::vector<double> p_values, std::size_t i, double least_p_value, double alpha) {
    p_values[i] = least_p_value;
    return statistics::holm_adjusted(p_values)[i] < alpha;
}

void decide(std::vector<Comparison>& all, double alpha) {
    std::vector<Comparison*> judged;
    std::vector<double> p_values;
    for (Comparison& each : all) {
        if (each.oversubscribed) {
            each.verdict = Verdict::kNotJudged;
            continue;
        }
        judged.push_back(&each);
        p_values.push_back(each.test.p_value);
    }
    const std::vector<double> adjusted = statistics::holm_adjusted(p_values);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        Comparison& each = *judged[i];
        each.adjusted_p = adjusted[i];
        if (adjusted[i] < alpha) {
            each.verdict = each.ratio < 1.0 ? Verdict::kSlower : Verdict::kFaster;
        } else {
            each.verdict = can_show(p_values, i, each.test.least_p_value, alpha)
                               ? Verdict::kNotShown
                               : Verdict::kTooFew;
        }
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

std::vector<Pair> find_pairs(const Analysis& before, const Analysis& after,
                             FolderComparison& result) {
    std::vector<Pair> pairs;
    for (const Configuration& each : before.configurations) {
        const Configuration* const other = after.find(each.mode, each.workers);
        if (other == nullptr) {
            result.only_before.push_back(name_of(each));
        } else {
            pairs.push_back({each, *other});
        }
    }
    for (const Configuration& each : after.configurations) {
        if (before.find(each.mode, each.workers) == nullptr) {
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

std::size_t FolderComparison::repetitions_needed() const {
    return statistics::samples_needed(judged(), alpha);
}

FolderComparison compare_folders(const Analysis& before, const Analysis& after, double alpha) {
    FolderComparison result;
    result.alpha = alpha;
    const std::vector<Pair> pairs = find_pairs(before, after, result);
    result.setup = find_setup_differences(pairs);
    for (const Pair& pair : pairs) {
        const std::vector<double> rates_before = rates_of(pair.before);
        const std::vector<double> rates_after = rates_of(pair.after);
        if (rates_before.empty() || rates_after.empty()) {
            result.without_training.push_back(name_of(pair.before));
        } else {
            result.comparisons.push_back(compare(pair, rates_before, rates_after));
        }
        const std::string sum_before = checksums_of(pair.before);
        const std::string sum_after = checksums_of(pair.after);
        if (sum_before != sum_after && promises_equal_checksums(pair)) {
            result.checksums.push_back({name_of(pair.before), sum_before, sum_after});
        }
    }
    decide(result.comparisons, alpha);
    return result;
}

std::vector<Comparison> find_regressions(const FolderComparison& comparison, double by) {
    std::vector<Comparison> found;
    for (const Comparison& each : comparison.comparisons) {
        if (each.verdict == Verdict::kSlower && each.ratio < 1.0 - by) found.push_back(each);
    }
    return found;
}

}  // namespace dp::experiments::diff
