#include "experiments/analysis/contrast.hpp"

#include "experiments/analysis/analysis.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

using Value = std::optional<double>;

double transfer(const Run& run) {
    const statistics::TimeParts parts = time_parts(run.result);
    return (parts.transfer_exposed + parts.transfer_hidden) / steps_of(run.result);
}

double update(const Run& run) { return time_parts(run.result).update / steps_of(run.result); }

Value memory(const Run& run) {
    const auto bytes = process_bytes(run.result, &core::ProcessMemory::pss_bytes);
    return bytes ? Value(static_cast<double>(*bytes)) : std::nullopt;
}

/// None where a run does not tell.
std::optional<AspectComparison> compare(const Aspect& aspect, const Configuration& first,
                                        const Configuration& second) {
    std::vector<double> of_first;
    std::vector<double> of_second;
    std::vector<double> differences;
    for (const auto& [one, other] : paired_runs(first.runs, second.runs)) {
        const Value a = aspect.value(*one);
        const Value b = aspect.value(*other);
        if (!a || !b) return std::nullopt;
        of_first.push_back(*a);
        of_second.push_back(*b);
        differences.push_back(*a - *b);
    }
    return AspectComparison{{statistics::paired_test(differences)},
                            &aspect,
                            statistics::summarise(of_first),
                            statistics::summarise(of_second),
                            statistics::summarise(differences)};
}

}  // namespace

const std::array<Aspect, 7> kAspects{{
    {"transfer", "s", true, [](const Run& run) -> Value { return transfer(run); }},
    {"update", "s", true, [](const Run& run) -> Value { return update(run); }},
    {"transfer and update", "s", true,
     [](const Run& run) -> Value { return transfer(run) + update(run); }},
    {"wait", "s", true,
     [](const Run& run) -> Value {
         const statistics::TimeParts parts = time_parts(run.result);
         return (parts.wait + parts.publish) / steps_of(run.result);
     }},
    {"memory", "bytes", false, memory},
    {"start-up", "s", false, [](const Run& run) -> Value { return set_up_seconds(run.result); }},
    {"context switches", "", true,
     [](const Run& run) -> Value {
         return per_step(run.result, &core::ThreadUsage::voluntary_switches) +
                per_step(run.result, &core::ThreadUsage::involuntary_switches);
     }},
}};

std::vector<Contrast> find_contrasts(const Analysis& analysis) {
    std::vector<Contrast> contrasts;
    for (const Comparison& pair : analysis.comparisons) {
        if (pair.oversubscribed || pair.workers == 1) continue;
        const Configuration& first = *analysis.find(pair.first, pair.workers);
        const Configuration& second = *analysis.find(pair.second, pair.workers);
        Contrast contrast{pair.workers, pair.first, pair.second, {}};
        for (const Aspect& aspect : kAspects) {
            if (auto found = compare(aspect, first, second)) contrast.aspects.push_back(*found);
        }
        contrasts.push_back(std::move(contrast));
    }
    std::vector<statistics::JudgedTest*> family;
    for (Contrast& contrast : contrasts) {
        for (AspectComparison& each : contrast.aspects) family.push_back(&each);
    }
    statistics::judge(family);
    return contrasts;
}

}  // namespace dp::experiments::analysis
