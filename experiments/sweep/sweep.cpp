#include "experiments/sweep/sweep.hpp"

#include <chrono>
#include <span>

#include <spdlog/spdlog.h>

#include "core/base/join.hpp"
#include "core/checkpoint/checkpoint.hpp"
#include "core/data/dataset_table.hpp"
#include "core/train/data_job.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/modes.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/report.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/sweep/checks.hpp"
#include "experiments/sweep/completion.hpp"
#include "experiments/sweep/console.hpp"
#include "experiments/sweep/plan.hpp"
#include "experiments/sweep/run_loop.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments {
namespace {

using core::RunConfig;

void print_exchange(const core::ModelSpec& model, const RunConfig& config) {
    const double bytes = static_cast<double>(model.parameters) * sizeof(float);
    const Mode& mode = find_mode(config.mode);
    std::string moved = "no exchange";
    if (mode.exchanges && config.workers > 1) {
        const core::ExchangeTraits reduction = *mode.find_reduction(config.reduction);
        const double share = reduction.sent_per_byte(static_cast<double>(config.workers));
        moved = fmt::format("a worker sends to others or reads from them {}{:.2f} MB a step",
                            mode.has_teams ? "at most " : "", share * bytes / 1e6);
    }
    print_line(fmt::format("          parameters {:.2f} MB; {}", bytes / 1e6, moved));
}

void print_cpus(std::span<const int> cpus, const RunConfig& config) {
    if (cpus.empty()) return;
    std::vector<int> taken;
    for (std::size_t rank = 0; rank < cores_wanted(config); ++rank) {
        taken.push_back(cpus[rank % cpus.size()]);
    }
    print_line(fmt::format("          {}: {}",
                           find_mode(config.mode).one_replica ? "CPUs that all threads share"
                                                              : "CPU of each worker, from 0 on",
                           core::join(taken)));
}

/// --dry-run.
void print_plan(const SweepSetting& setting, const core::ModelSpec& model) {
    for (const RunConfig& config : setting.configurations) {
        Console console(setting.console);
        const core::Job job = core::make_data_job(config, setting.data, setting.initial, console);
        console.begin_run(config, steps_of(job), is_oversubscribed(config, setting.machine));
        print_exchange(model, config);
        print_cpus(cpus_of_ranks(config, setting.machine.topology), config);
    }
    const std::size_t repetitions = setting.request.repetitions;
    if (repetitions == 1) return;
    print_line(fmt::format(
        "sweep     {} repetitions of each, {} runs in all: those of one N one after the "
        "other, in random order",
        repetitions, repetitions * setting.configurations.size()));
}

}  // namespace

void run_request(const Request& request) {
    const core::ModelSpec& model = core::find_model(request.base.model);
    check_data_dir(request);
    if (!request.dry_run) {
        check_modes(request);
        prepare_file("--save", request.base.save);
        prepare_file("--trace", request.trace);
    }
    if (!request.out.empty() && !request.dry_run && !request.resume) {
        // `plots` alone may be the user's own.
        const bool reported = report::has_report(request.out);
        prepare_out(request.out, request.force, [&](std::string_view name) {
            return is_sweeps_own(name) || (name == report::kPlotsFolder && reported);
        });
    }
    core::StateDict initial;
    const bool loads = !request.base.load.empty();
    if (loads) initial = core::load_checkpoint(request.base.load);

    StartUp startup;
    const auto before_load = std::chrono::steady_clock::now();
    const core::Dataset data =
        core::load_dataset(request.base.dataset, request.data_dir, request.base.seed);
    startup.data_load_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - before_load).count();
    check_shape(model, data);
    check_batch(request, data.train.size());
    const Machine machine = read_machine();
    for (const std::string& warning : machine.warnings) spdlog::warn("{}", warning);
    check_precision(request.base.network, machine);
    const std::vector<RunConfig> configurations = plan_runs(request, data.train.size());
    check_cpus(configurations, machine);
    const ConsoleOptions options{
        request.quiet, request.verbose,
        /*progress=*/(!request.quiet || request.measure_only) && !request.dry_run};
    Console console(options);
    console.print_machine(machine);
    console.print_data(data, model);

    startup.before_runs_seconds = process_seconds();
    const SweepSetting setting{request, configurations, data, machine, loads ? &initial : nullptr,
                               options, startup};
    if (request.dry_run) return print_plan(setting, model);
    run_all(setting);
}

}  // namespace dp::experiments
