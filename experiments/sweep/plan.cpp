#include "experiments/sweep/plan.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
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

/// "1, 2, 4": what divides `number`.
std::string divisors_of(std::size_t number) {
    std::vector<std::size_t> all;
    for (std::size_t i = 1; i <= number; ++i) {
        if (number % i == 0) all.push_back(i);
    }
    return core::join(all);
}

/// The tree of the shards has a whole subtree for each worker.
void check_shards(const RunConfig& run) {
    if (!run.shards) return;
    const std::size_t shards = *run.shards;
    if (!std::has_single_bit(shards)) {
        throw Error(ExitCode::kUsage,
                    "--shards {} is no power of two, as a tree of pairs needs: choose {} or {}",
                    shards, std::bit_floor(shards), std::bit_ceil(shards));
    }
    if (shards % run.workers != 0) {
        throw Error(ExitCode::kUsage,
                    "--shards {} cannot be shared by {} workers: choose a number of workers that "
                    "divides it ({})",
                    shards, run.workers, divisors_of(shards));
    }
}

/// "in-place-tree, tree": those of `modes` that add as a tree.
std::string tree_reductions(const std::vector<std::string>& modes) {
    std::vector<std::string_view> names;
    for (const std::string& mode : modes) {
        for (const core::ExchangeTraits& row : find_mode(mode).reductions()) {
            const bool listed = std::ranges::find(names, row.name) != names.end();
            if (row.order == core::SumOrder::kTree && !listed) names.push_back(row.name);
        }
    }
    return core::join(names);
}

/// "serial, threads": those that can add as a tree.
std::string tree_modes() {
    std::vector<std::string_view> names;
    for (const Mode& mode : modes()) {
        if (mode.usual_reduction(/*shards=*/true)) names.push_back(mode.name);
    }
    return core::join(names);
}

RunConfig configure(const Request& request, const std::string& mode, std::size_t workers,
                    const core::ExchangeTraits& reduction) {
    RunConfig run = request.base;
    run.mode = mode;
    run.workers = workers;
    const Mode& row = find_mode(mode);
    run.reduction = reduction.name;
    set_teams(run, row, reduction);
    check_shards(run);
    if (!reduction.can_shard) run.update = core::UpdateKind::kReplicated;
    if (!request.global_batch) return run;
    const std::size_t ranks = ranks_of(run);
    if (*request.global_batch % ranks != 0) {
        throw Error(ExitCode::kUsage,
                    "--global-batch {} cannot be shared by {} {}: choose a multiple of {}",
                    *request.global_batch, ranks, run.shards ? "shards" : "workers", ranks);
    }
    run.batch_size = *request.global_batch / ranks;
    return run;
}

/// Fisher and Yates.
void shuffle(auto& order, const core::RandomStream& random) {
    for (std::size_t left = order.size(); left > 1; --left) {
        std::swap(order[left - 1], order[random.below(left, static_cast<std::uint32_t>(left))]);
    }
}

using Block = std::vector<const RunConfig*>;

/// The configurations of each N, as they were asked.
std::vector<Block> blocks_of(const std::vector<RunConfig>& configurations) {
    std::vector<Block> blocks;
    for (const RunConfig& config : configurations) {
        const auto same = std::ranges::find_if(
            blocks, [&](const Block& block) { return block.front()->workers == config.workers; });
        (same == blocks.end() ? blocks.emplace_back() : *same).push_back(&config);
    }
    return blocks;
}

}  // namespace

std::vector<core::ExchangeTraits> chosen_reductions(const Request& request, std::string_view mode) {
    const Mode& row = find_mode(mode);
    const auto& shards = request.base.shards;
    const auto usual = row.usual_reduction(shards.has_value());
    if (!usual) {
        throw Error(ExitCode::kUsage,
                    "--shards {} adds gradients as a tree, and no reduction of --mode {} does: "
                    "choose another mode ({})",
                    *shards, mode, tree_modes());
    }
    std::vector<core::ExchangeTraits> chosen;
    const auto can_add = [&](const core::ExchangeTraits& reduction) {
        return !shards || reduction.order == core::SumOrder::kTree;
    };
    for (const std::string& name : request.reductions) {
        if (name == kAllReductions) {
            chosen = row.reductions();
            std::erase_if(chosen, std::not_fn(can_add));
            return chosen;
        }
        const auto reduction = row.reduction_for(name);
        if (!reduction) continue;
        if (!can_add(*reduction)) {
            throw Error(ExitCode::kUsage,
                        "--shards {} adds gradients as a tree, and --reduction {} does not: choose "
                        "one that does ({})",
                        *shards, name, tree_reductions(request.modes));
        }
        const auto same = [&](const core::ExchangeTraits& other) {
            return other.name == reduction->name;
        };
        if (std::ranges::none_of(chosen, same)) chosen.push_back(*reduction);
    }
    if (chosen.empty()) chosen.push_back(*usual);
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
    using core::RandomStream;
    using core::RandomUse;
    std::vector<Run> runs;
    for (std::size_t repetition = 1; repetition <= repetitions; ++repetition) {
        std::vector<Block> blocks = blocks_of(configurations);
        if (repetitions > 1) {
            shuffle(blocks, RandomStream(seed, RandomUse::kSweepOrder, {repetition}));
            for (Block& block : blocks) {
                shuffle(block, RandomStream(seed, RandomUse::kSweepOrder,
                                            {repetition, block.front()->workers}));
            }
        }
        for (const Block& block : blocks) {
            for (const RunConfig* config : block) {
                Run run;
                run.settings.config = *config;
                run.settings.scaling = scaling;
                run.repetition = repetition;
                run.sequence = runs.size() + 1;
                runs.push_back(std::move(run));
            }
        }
    }
    return runs;
}

}  // namespace dp::experiments
