#include "experiments/sweep/completion.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "experiments/allreduce/benchmark.hpp"
#include "experiments/machine/conditions.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/machine/triad.hpp"
#include "experiments/modes.hpp"
#include "experiments/report/report.hpp"
#include "experiments/results/ceiling_file.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/results/runs_csv.hpp"
#include "experiments/results/steps_file.hpp"
#include "experiments/results/sweep_file.hpp"
#include "experiments/sweep/checks.hpp"
#include "experiments/text/output.hpp"
#include "experiments/text/terminal.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using core::RunConfig;

// After ten steps that warm up, enough for one of them to be near the median.
constexpr std::size_t kTracedRunSteps = 30;

bool is_parallel(const RunConfig& config) {
    return find_mode(config.mode).exchanges && config.workers > 1;
}

/// Of each parallel design the one with most workers, each with a CPU of its own if there is one.
std::vector<RunConfig> to_trace(const SweepReport& sweep) {
    std::map<std::string, RunConfig> chosen;
    for (const RunConfig& config : sweep.configurations) {
        if (!is_parallel(config) || config.epochs == 0) continue;
        const auto [same, first] = chosen.try_emplace(design_of(config), config);
        const bool fits = !is_oversubscribed(config, sweep.machine);
        const bool before = !is_oversubscribed(same->second, sweep.machine);
        if (!first &&
            (fits > before || (fits == before && fits && config.workers > same->second.workers))) {
            same->second = config;
        }
    }
    std::vector<RunConfig> all;
    for (const auto& [design, config] : chosen) all.push_back(config);
    return all;
}

void add_trace(const SweepReport& sweep, RunConfig config) {
    const fs::path file =
        sweep.request.out /
        fmt::format("trace-{}-n{}.json", in_file_name(design_of(config)), config.workers);
    if (fs::exists(file)) return;
    config.epochs = 1;
    config.steps_limit = std::min(config.steps_limit.value_or(kTracedRunSteps), kTracedRunSteps);
    sweep.trace(config, file);
}

/// What the sweep's last run leaves behind passes in less.
constexpr std::chrono::seconds kLongestWait{5};

/// Waits until no other program has the CPUs, and not for long; a warning says where that was in
/// vain.
Machine quiet_machine(Machine machine) {
    const auto others =
        wait_until_quiet([&] { return read_conditions(machine.affinity); }, kLongestWait);
    if (others.value_or(0.0) <= kQuietCpus) return machine;
    machine.warnings.push_back(fmt::format(
        "other programs used {:.1f} CPUs when the reductions were about to be timed", *others));
    spdlog::warn("{}: stop them and time the reductions again with: dp_compare allreduce",
                 machine.warnings.back());
    return machine;
}

/// The reductions that the sweep ran, for those of its worker counts that have a CPU each. All that
/// there are would take longer than many a sweep.
void add_reductions(const SweepReport& sweep, const ProgressLine& progress) {
    if (fs::exists(sweep.request.out / allreduce::kFileName)) return;
    std::map<std::size_t, allreduce::Request> requests;  // by ranks in a process
    for (const RunConfig& config : sweep.configurations) {
        if (!is_parallel(config) || is_oversubscribed(config, sweep.machine) ||
            !find_mode(config.mode).timed_alone) {
            continue;
        }
        const std::size_t team =
            find_mode(config.mode).has_teams ? config.threads_per_worker : std::size_t{1};
        const auto [found, first] = requests.try_emplace(team);
        allreduce::Request& request = found->second;
        if (first) {
            request.modes.clear();
            request.workers.clear();
            request.threads_per_worker = team;
            request.mpi_run = config.mpi_run;
        }
        const auto add = [](auto& values, const auto& value) {
            if (std::ranges::find(values, value) == values.end()) values.push_back(value);
        };
        add(request.modes, config.mode);
        add(request.reductions, config.reduction);
        add(request.workers, config.workers / team);
    }
    if (requests.empty()) return;
    const Machine machine = quiet_machine(sweep.machine);
    std::vector<allreduce::Row> rows;
    for (const auto& [team, request] : requests) {
        std::ranges::move(allreduce::measure_rows(request, machine, progress, [](const auto&) {}),
                          std::back_inserter(rows));
    }
    allreduce::write_rows(sweep.request.out, rows, machine, measure_triad(machine));
    allreduce::verify(rows);
}

/// Does `part` and turns its failure into a warning, unless the user wants to stop.
void attempt(const char* what, const auto& part) try { part(); } catch (const Error& error) {
    if (is_interrupt(error) || error.code() == ExitCode::kVerification) throw;
    spdlog::warn("the report goes without {}: {}", what, error.what());
}

}  // namespace

void complete_folder(const SweepReport& sweep) {
    if (!sweep.request.quiet) {
        print_line("report    timing each reduction alone, tracing a few steps");
    }
    const ProgressLine progress(!sweep.request.quiet);
    attempt("the reductions' times", [&] { add_reductions(sweep, progress); });
    for (const RunConfig& config : to_trace(sweep)) {
        InterruptScope::check("the report is incomplete");
        progress.show({"report", "tracing a few steps",
                       fmt::format("{}, N = {}", design_of(config), config.workers)});
        attempt("a timeline", [&] { add_trace(sweep, config); });
    }
    progress.show({"report", "drawing its plots"});
    try {
        const report::Written written = report::write_report(sweep.request.out);
        progress.clear();
        report::print_written(written);
    } catch (const Error& error) {
        if (is_interrupt(error)) throw;
        spdlog::warn("no report: {}", error.what());
    }
}

bool is_sweeps_own(std::string_view name) {
    return report::is_report_file(name) || is_run_file(name) || name == kSweepFileName ||
           is_ceiling_file(name) || name == kRunsCsv || name == kEpochsCsv ||
           name == allreduce::kFileName || is_steps_file(name) ||
           (name.starts_with("trace-") && name.ends_with(".json"));
}

}  // namespace dp::experiments
