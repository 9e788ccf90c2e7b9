#include "experiments/analysis/waterfalls.hpp"

#include <algorithm>

#include "experiments/analysis/analysis.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

/// `parts` of an epoch of `each` for `images` images; start-up does not grow with them.
statistics::TimeParts parts_for(const Configuration& each, statistics::TimeParts parts,
                                double images) {
    const double start_up = parts.start_up;
    parts *= images / images_per_epoch(each.runs.front().result);
    parts.start_up = start_up;
    // A rank that --inject delays sleeps: that it has no CPU then is nobody's doing.
    if (each.runs.front().settings.config.delay) parts.off_cpu = parts.wait_for_off_cpu = 0.0;
    return parts;
}

/// What each cause adds in the repetitions that both have.
void add_repetitions(statistics::Waterfall& waterfall, const Configuration& one,
                     const Configuration& several, double images) {
    for (const auto& [first, run] : paired_runs(one.runs, several.runs)) {
        const auto& before = one.epochs[static_cast<std::size_t>(first - one.runs.data())];
        const auto& after = several.epochs[static_cast<std::size_t>(run - several.runs.data())];
        const auto pair = statistics::waterfall(
            parts_for(one, before, images), parts_for(several, after, images), waterfall.workers);
        std::ranges::transform(pair.parts, waterfall.pairs.emplace_back().begin(),
                               &statistics::WaterfallPart::seconds);
    }
    if (waterfall.pairs.empty()) return;
    for (std::size_t i = 0; i < waterfall.parts.size(); ++i) {
        std::vector<double> seconds;
        for (const statistics::CauseSeconds& pair : waterfall.pairs) seconds.push_back(pair[i]);
        waterfall.parts[i].repetitions = statistics::summarise(seconds);
    }
}

bool knows_cpu_time(const Configuration& each) {
    return std::ranges::all_of(each.runs, [](const Run& run) {
        return !run.settings.config.delay &&
               std::ranges::all_of(run.result.workers, [](const core::WorkerReport& worker) {
                   return std::ranges::all_of(worker.epochs, [](const core::WorkerEpoch& epoch) {
                       return epoch.phase_cpu_seconds.has_value();
                   });
               });
    });
}

CpuTakers find_takers(std::span<const Run> runs) {
    using core::Phase;
    CpuTakers takers{0.0, 0.0, 0.0, 0.0};
    const auto add = [](std::optional<double>& sum, const std::optional<double>& value) {
        sum = sum && value ? std::optional(*sum + *value) : std::nullopt;
    };
    for (const Run& run : runs) {
        takers.off_cpu += sum_of(run.result, [](const core::WorkerEpoch& epoch) {
            return off_cpu_seconds(
                epoch, {Phase::kLoad, Phase::kForward, Phase::kBackward, Phase::kUpdate});
        });
        const Conditions conditions = run.conditions.value_or(Conditions{});
        // With CPUs to spare they may have had those.
        const bool all_taken =
            run.context.is_null() ||
            static_cast<double>(run.workers()) >= run.context.value("usable_cpus", 0.0);
        add(takers.others, all_taken ? conditions.others_cpu_seconds : std::nullopt);
        add(takers.steal, conditions.steal_seconds);
        add(takers.throttled, conditions.throttled_seconds);
    }
    return takers;
}

/// Of the repetitions that have a baseline, a run and a ceiling.
std::optional<CeilingSplit> split_at_ceiling(const Analysis& analysis, const Configuration& one,
                                             const Configuration& several) {
    std::vector<double> machine;
    std::vector<double> design;
    for (const auto& [first, run] : paired_runs(one.runs, several.runs)) {
        const auto ceiling = std::ranges::find_if(analysis.ceilings, [&](const Ceiling& each) {
            return each.workers == several.workers && each.repetition == run->repetition &&
                   each.batch_size == run->settings.config.batch_size;
        });
        if (ceiling == analysis.ceilings.end()) continue;
        const double images = analysis.work_images;
        const double at_ceiling = images / ceiling->total_images_per_second();
        const double ideal =
            images / first->result.images_per_second() / static_cast<double>(several.workers);
        machine.push_back(at_ceiling - ideal);
        design.push_back(images / run->result.images_per_second() - at_ceiling);
    }
    if (machine.empty()) return std::nullopt;
    return CeilingSplit{statistics::summarise(machine), statistics::summarise(design)};
}

}  // namespace

std::vector<ModeWaterfall> find_waterfalls(const Analysis& analysis) {
    std::vector<ModeWaterfall> waterfalls;
    const double images = analysis.work_images;
    for (const std::string& mode : analysis.designs) {
        const Configuration* several = analysis.largest(mode);
        const Configuration* one = analysis.baseline_of(mode);
        if (several == nullptr || one == nullptr) continue;
        const auto parts = parts_for(*several, several->parts, images);
        const auto one_parts = parts_for(*one, one->parts, images);
        if (parts.total() <= 0.0 || one_parts.total() <= 0.0) continue;
        auto waterfall = statistics::waterfall(one_parts, parts, several->workers);
        waterfall.cpu_time_known = knows_cpu_time(*one) && knows_cpu_time(*several);
        add_repetitions(waterfall, *one, *several, images);
        waterfalls.push_back({mode, one->name(), waterfall, find_takers(several->runs),
                              split_at_ceiling(analysis, *one, *several)});
    }
    return waterfalls;
}

}  // namespace dp::experiments::analysis
