#include "experiments/sweep/command_line.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/nn/model.hpp"
#include "experiments/machine/binding.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/option_values.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/sweep/plan.hpp"
#include "experiments/sweep/rank.hpp"

namespace dp::experiments {
namespace {

using core::Error;
using core::ExitCode;

void add_what_to_run(CLI::App& app, RawTraining& raw) {
    std::string mode_help = core::join(modes(), ";\n", [](const Mode& mode) {
        return fmt::format("{}: {}", mode.name, mode.description);
    });
    mode_help +=
        ".\nBeside other modes serial runs once with one worker, as their baseline (default: "
        "serial)";
    app.add_option("--mode", raw.modes, mode_help)
        ->delimiter(',')
        ->type_name("MODE[,MODE...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option(
           "-n,--workers,--world-size", raw.workers,
           fmt::format("Workers (ranks), 1 to {}, for example 1,2,4 (default: 1)", kMaxWorkers))
        ->delimiter(',')
        ->type_name("N[,N...]")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--reps,--repetitions", raw.request.repetitions,
                   "Run each configuration so often, those of one N next to each other in random "
                   "order; tables show medians, from 6 on with intervals of at least 95 %")
        ->check(whole_number(1, 1000))
        ->capture_default_str();
}

std::string value_name_of(const Setting& row) {
    if (!row.value_name.empty()) return std::string(row.value_name);
    if (row.kind == ValueKind::kWhole) return "UINT";
    return row.kind == ValueKind::kNumber ? "FLOAT" : "TEXT";
}

void add_settings(CLI::App& app, RawTraining& raw) {
    raw.settings.resize(settings().size());
    for (std::size_t i = 0; i < settings().size(); ++i) {
        const Setting& row = settings()[i];
        if (row.option.empty()) continue;
        const std::string name(row.option);
        const std::string help = help_of(row);
        CLI::Option* option = row.flag ? app.add_flag(name, help)
                                       : app.add_option(name, raw.settings[i], help)
                                             ->type_name(value_name_of(row))
                                             ->default_str(usual_text(row));
        if (!row.group.empty()) option->group(std::string(row.group));
    }
}

void add_files(CLI::App& app, RawTraining& raw) {
    Request& request = raw.request;
    app.add_option("--global-batch", request.global_batch, "Images per step over all workers")
        ->check(whole_number(1, 1'000'000))
        ->group("Training");
    app.add_option("--data-dir", request.data_dir,
                   "Folder of the data set's files; experiments/get_data.sh fetches cifar10 and "
                   "mnist, synthetic is made and fashion-mnist found without it")
        ->type_name("DIR")
        ->group("Data");
    app.add_option("--out", request.out,
                   "Write each run's results into this folder, and a sweep's report")
        ->type_name("DIR")
        ->group("Files");
    app.add_option("--trace", request.trace,
                   "Write a timeline of a few steps here, replacing an existing file, for "
                   "ui.perfetto.dev")
        ->type_name("FILE")
        ->group("Files");
    app.add_flag("--force", request.force, "Overwrite results in --out")->group("Files");
    app.add_option("--resume", raw.resume,
                   "Go on with the sweep in this folder, an earlier --out, as it was asked then")
        ->type_name("DIR")
        ->group("Files");
    app.add_flag("--no-report", raw.no_report, "End a sweep with --out without a report")
        ->group("Files");
    app.add_flag("--no-ceiling", raw.no_ceiling,
                 "Of 3 repetitions and more, measure no N serial runs at once, which tell the "
                 "machine's share of a loss and take as long as a run of N workers")
        ->group("Files");
    app.add_flag("--dry-run", request.dry_run, "Print the plan and stop");
    app.add_flag("--verbose", request.verbose, "A line for each worker at its start");
    app.add_flag("--quiet", request.quiet,
                 "Print only the final table, or the summary of a single run");
}

/// The settings of the command line, over `usual`.
RunSettings settings_given(const CLI::App& app, const RawTraining& raw, RunSettings usual) {
    for (std::size_t i = 0; i < settings().size(); ++i) {
        const Setting& row = settings()[i];
        if (row.option.empty() || app.count(std::string(row.option)) == 0) continue;
        set_from_text(row, raw.settings[i], usual);
    }
    return usual;
}

/// The names in `text`, between its commas.
std::vector<std::string> split_names(const std::string& text) {
    std::vector<std::string> names;
    std::istringstream in(text.empty() ? text : text + ',');
    for (std::string name; std::getline(in, name, ',');) names.push_back(name);
    return names;
}

/// A reduction is for the modes that offer it, and one of them must be there; modes without an
/// exchange play it by themselves.
void check_reduction(const Request& request, const std::string& reduction) {
    std::string offered;
    for (const std::string& name : request.modes) {
        const Mode& mode = find_mode(name);
        if (const auto row = mode.find_reduction(reduction)) {
            return warn_of_former_name(*row, reduction);
        }
        offered += fmt::format("{}{} offers {}", offered.empty() ? "" : "; ", name,
                               mode.reduction_names());
    }
    if (std::ranges::all_of(request.modes, [&](const std::string& name) {
            const Mode& mode = find_mode(name);
            return !mode.exchanges && mode.reduction_for(reduction);
        })) {
        return;
    }
    throw Error(ExitCode::kUsage,
                "--reduction '{}' is no reduction of the modes asked for ({}): choose one of "
                "theirs, or another --mode",
                reduction, offered);
}

/// The update is sharded where the reduction can do it, and that of one mode must.
void check_update(const Request& request) {
    if (request.base.update != core::UpdateKind::kSharded) return;
    std::string refused;
    for (const std::string& name : request.modes) {
        for (const core::ExchangeTraits& row : chosen_reductions(request, name)) {
            if (row.can_shard) return;
            refused += fmt::format("{}{} with {}", refused.empty() ? "" : ", ", name, row.name);
        }
    }
    std::string able;
    for (const Mode& mode : modes()) {
        for (const core::ExchangeTraits& row : mode.reductions()) {
            if (!row.can_shard) continue;
            able += fmt::format("{}--mode {} --reduction {}", able.empty() ? "" : " or ", mode.name,
                                row.name);
        }
    }
    throw Error(ExitCode::kUsage, "--update sharded is not offered by {}: choose {}", refused,
                able);
}

void check_delay(const Request& request) {
    const auto& delay = request.base.delay;
    if (!delay) return;
    std::size_t most = 0;
    for (const core::RunConfig& config : plan_configurations(request)) {
        most = std::max(most, ranks_of(config));
    }
    if (delay->rank < most) return;
    throw Error(ExitCode::kUsage, "--inject rank={}: ranks are 0 to {}: choose one of them",
                delay->rank, most - 1);
}

void require_one_run(const Request& request, const char* option,
                     const std::filesystem::path& file) {
    const std::size_t runs = plan_configurations(request).size() * request.repetitions;
    if (file.empty() || runs == 1) return;
    throw Error(ExitCode::kUsage,
                "{} {} is one file, but {} runs would write it: choose one mode, one -n and one "
                "repetition",
                option, file.string(), runs);
}

/// How many, where nothing is said, follows from the mode.
void choose_teams(const CLI::App& app, Request& request) {
    if (app.count("--threads-per-worker") == 0) {
        request.base.threads_per_worker = 0;
        return;
    }
    const auto has_groups = [&](const std::string& name) {
        return find_mode(name).has_teams ||
               std::ranges::any_of(chosen_reductions(request, name), [](const auto& row) {
                   return row.order == core::SumOrder::kGrouped;
               });
    };
    if (std::ranges::any_of(request.modes, has_groups)) return;
    throw Error(
        ExitCode::kUsage,
        "--threads-per-worker is for workers of several threads, which --mode {} does not have: "
        "choose --mode {}, or serial with --reduction grouped, which plays them",
        core::join(request.modes), core::join(modes_that(&Mode::has_teams), " or "));
}

/// A fixed global batch is strong scaling, and no other.
void choose_scaling(const CLI::App& app, Request& request) {
    if (app.count("--batch-size") != 0 && request.global_batch) {
        throw Error(ExitCode::kUsage,
                    "--batch-size {} and --global-batch {} exclude each other: give the first for "
                    "each worker or the second for all",
                    request.base.batch_size, *request.global_batch);
    }
    if (request.scaling == Scaling::kWeak && request.base.shards) {
        throw Error(ExitCode::kUsage,
                    "--scaling weak and --shards {} exclude each other: shards keep the global "
                    "batch, which weak scaling lets grow with the workers: leave one out",
                    *request.base.shards);
    }
    if (request.scaling == Scaling::kStrong && !request.global_batch) {
        request.global_batch = request.base.batch_size;
    }
    if (!request.global_batch || request.scaling == Scaling::kStrong) return;
    if (app.count("--scaling") != 0) {
        throw Error(ExitCode::kUsage,
                    "--scaling {} and --global-batch {} exclude each other: a fixed global batch "
                    "is --scaling strong",
                    core::row_of(kScalings, request.scaling).name, *request.global_batch);
    }
    request.scaling = Scaling::kStrong;
}

/// Where a sweep's files go is no part of what it was asked.
std::vector<std::string> without_folder(const std::vector<std::string>& arguments) {
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--force" || arguments[i].starts_with("--out=")) continue;
        if (arguments[i] == "--out") {
            ++i;
            continue;
        }
        kept.push_back(arguments[i]);
    }
    return kept;
}

}  // namespace

void add_training_options(CLI::App& program, RawTraining& raw) {
    add_what_to_run(program, raw);
    add_settings(program, raw);
    add_files(program, raw);
}

Request finish_training(const CLI::App& program, const RawTraining& raw) {
    Request request = raw.request;
    request.modes = raw.modes;
    for (const std::string& mode : request.modes) find_mode(mode);
    for (const std::string& text : raw.workers) request.workers.push_back(parse_workers(text));
    require_unique(request.modes, "--mode");
    require_unique(request.workers, "-n");

    // What is usual follows from the optimizer and the data set.
    const RunSettings chosen = settings_given(program, raw, {});
    const RunSettings given = settings_given(program, raw, usual_settings(chosen));
    request.base = given.config;
    request.scaling = given.scaling;
    std::swap(request.trace_steps, request.base.trace);  // for the runs, which --trace makes one
    core::find_model(request.base.model);
    check_binding(request.base.bind);
    join_world(request, program.count("-n") != 0);
    request.reductions = split_names(std::exchange(request.base.reduction, ""));
    require_unique(request.reductions, "--reduction");
    for (const std::string& name : request.reductions) {
        if (name != kAllReductions) check_reduction(request, name);
    }
    check_update(request);
    choose_teams(program, request);
    choose_scaling(program, request);
    check_delay(request);
    require_one_run(request, "--save", request.base.save);
    require_one_run(request, "--trace", request.trace);
    if (request.trace_steps && request.trace.empty()) {
        throw Error(ExitCode::kUsage, "--trace-steps {} without --trace: name the file too",
                    to_text(*request.trace_steps));
    }
    request.report = !raw.no_report;
    request.ceiling = !raw.no_ceiling;
    request.arguments = without_folder(request.arguments);
    request.working_directory = std::filesystem::current_path();
    return request;
}

}  // namespace dp::experiments
