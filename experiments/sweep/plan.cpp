#include "experiments/sweep/plan.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "experiments/modes.hpp"

namespace dp::experiments {

using core::Error;
using core::ExitCode;
using core::RunConfig;

namespace {

constexpr std::size_t kUsualTeam = 2;

/// Trees over processes of trees over their threads are one tree over all ranks.
void check_tree_of_teams(const RunConfig& run) {
    const std::size_t threads = run.threads_per_worker;
    const std::size_t processes = run.workers / threads;
    if (processes == 1 || threads == 1) return;
    if (std::has_single_bit(processes) && std::has_single_bit(threads)) return;
    throw Error(
        ExitCode::kUsage,
        "-n {} with --threads-per-worker {} makes no tree of pairs, in which --reduction {} "
        "adds: choose powers of two for both, or another reduction",
        processes, threads, run.reduction);
}

/// Says how ranks fall into groups, where the mode or the order of additions has any.
void set_teams(RunConfig& run, const Mode& mode, const core::ExchangeTraits& reduction) {
    const bool grouped = mode.has_teams || reduction.order == core::SumOrder::kGrouped;
    if (run.threads_per_worker == 0) run.threads_per_worker = grouped ? kUsualTeam : 1;
    if (!grouped) run.threads_per_worker = 1;
    if (mode.has_teams) run.workers *= run.threads_per_worker;
    if (run.workers > kMaxWorkers) {
        throw Error(ExitCode::kUsage,
                    "-n {} with --threads-per-worker {} makes {} workers: choose at most {}",
                    run.workers / run.threads_per_worker, run.threads_per_worker, run.workers,
                    kMaxWorkers);
    }
    if (run.workers % run.threads_per_worker != 0) {
        throw Error(ExitCode::kUsage,
                    "{} workers cannot be put in groups of --threads-per-worker {}: choose a "
                    "multiple of it",
                    run.workers, run.threads_per_worker);
    }
    if (mode.has_teams && reduction.order == core::SumOrder::kTree) check_tree_of_teams(run);
}

RunConfig configure(const Request& request, const std::string& mode, std::size_t workers,
                    const core::ExchangeTraits& reduction) {
    RunConfig run = request.base;
    run.mode = mode;
    run.workers = workers;
    const Mode& row = find_mode(mode);
    run.reduction = reduction.name;
    set_teams(run, row, reduction);
    if (!reduction.can_shard) run.update = core::UpdateKind::kReplicated;
    if (!request.global_batch) return run;
    const std::size_t ranks = row.ranks(run.workers);
    if (*request.global_batch % ranks != 0) {
        throw Error(ExitCode::kUsage,
                    "--global-batch {} cannot be shared by {} workers: choose a multiple of {}",
                    *request.global_batch, ranks, ranks);
    }
    run.batch_size = *request.global_batch / ranks;
    return run;
}

/// Fisher and Yates.
void shuffle(std::vector<std::size_t>& order, const core::RandomStream& random) {
    for (std::size_t left = order.size(); left > 1; --left) {
        std::swap(order[left - 1], order[random.below(left, static_cast<std::uint32_t>(left))]);
    }
}

}  // namespace

std::vector<core::ExchangeTraits> chosen_reductions(const Request& request, std::string_view mode) {
    const Mode& row = find_mode(mode);
    std::vector<core::ExchangeTraits> chosen;
    for (const std::string& name : request.reductions) {
        if (name == kAllReductions) return row.reductions();
        const auto reduction = row.reduction_for(name);
        if (reduction && std::ranges::find(chosen, reduction->name, &core::ExchangeTraits::name) ==
                             chosen.end()) {
            chosen.push_back(*reduction);
        }
    }
    if (chosen.empty()) chosen.push_back(row.reductions().front());
    return chosen;
}

std::vector<RunConfig> plan_configurations(const Request& request) {
    std::vector<RunConfig> configurations;
    const auto is_baseline = [&](const std::string& mode) {
        return request.modes.size() > 1 && find_mode(mode).is_baseline;
    };
    for (const std::string& mode : request.modes) {
        if (!is_baseline(mode)) continue;
        configurations.push_back(
            configure(request, mode, 1, chosen_reductions(request, mode).front()));
    }
    for (const std::size_t workers : request.workers) {
        for (const std::string& mode : request.modes) {
            if (is_baseline(mode)) continue;
            for (const core::ExchangeTraits& reduction : chosen_reductions(request, mode)) {
                configurations.push_back(configure(request, mode, workers, reduction));
            }
        }
    }
    return configurations;
}

void equalise_steps(std::vector<RunConfig>& configurations, std::size_t training_images) {
    const auto& most = *std::ranges::max_element(configurations, {}, &RunConfig::workers);
    const std::size_t images_per_step = most.workers * most.batch_size;
    const std::size_t steps = training_images / images_per_step;
    if (steps == 0) {
        throw Error(ExitCode::kUsage,
                    "--scaling weak: {} workers need {} images for one step of {} each, and the "
                    "data set has {}: use fewer workers or a smaller --batch-size",
                    most.workers, images_per_step, most.batch_size, training_images);
    }
    for (RunConfig& config : configurations) {
        config.steps_limit = std::min(config.steps_limit.value_or(steps), steps);
    }
}

std::vector<RunConfig> plan_runs(const Request& request, std::size_t training_images) {
    std::vector<RunConfig> configurations = plan_configurations(request);
    if (request.scaling == Scaling::kWeak) equalise_steps(configurations, training_images);
    return configurations;
}

std::vector<Run> schedule(const std::vector<RunConfig>& configurations, Scaling scaling,
                          std::size_t repetitions, std::uint64_t seed) {
    std::vector<Run> runs;
    std::vector<std::size_t> order(configurations.size());
    for (std::size_t repetition = 1; repetition <= repetitions; ++repetition) {
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        if (repetitions > 1) {
            shuffle(order, core::RandomStream(seed, core::RandomUse::kSweepOrder, {repetition}));
        }
        for (const std::size_t i : order) {
            Run run;
            run.settings.config = configurations[i];
            run.settings.scaling = scaling;
            run.repetition = repetition;
            run.sequence = runs.size() + 1;
            runs.push_back(std::move(run));
        }
    }
    return runs;
}

}  // namespace dp::experiments
