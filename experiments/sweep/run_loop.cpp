#include "experiments/sweep/run_loop.hpp"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "core/train/data_job.hpp"
#include "experiments/analysis/analysis.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/option_values.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/results/cold_steps.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/results/runs_csv.hpp"
#include "experiments/results/sweep_file.hpp"
#include "experiments/results/trace_file.hpp"
#include "experiments/sweep/ceiling.hpp"
#include "experiments/sweep/checks.hpp"
#include "experiments/sweep/completion.hpp"
#include "experiments/sweep/plan.hpp"
#include "experiments/sweep/rank.hpp"
#include "experiments/sweep/resume.hpp"
#include "experiments/sweep/run_table.hpp"
#include "experiments/sweep/time_left.hpp"
#include "experiments/sweep/traced_step.hpp"
#include "experiments/text/numbers.hpp"
#include "experiments/text/output.hpp"
#include "multiproc/process_group.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using core::RunConfig;

constexpr std::size_t kWarmUpSteps = 10;
constexpr const char* kIncomplete = "the sweep is incomplete";

Failure failure_of(const std::exception& error) {
    Failure failure{ExitCode::kRunFailed, error.what(), {}, {}};
    if (const auto* ours = dynamic_cast<const Error*>(&error)) failure.code = ours->code();
    if (const auto* worker = dynamic_cast<const multiproc::WorkerFailure*>(&error)) {
        failure.rank = worker->rank();
        failure.signal = worker->signal();
    }
    return failure;
}

std::vector<std::string> designs_of(const std::vector<RunConfig>& configurations) {
    std::vector<std::string> designs;
    std::ranges::transform(configurations, std::back_inserter(designs), design_of);
    return designs;
}

/// Does `part`; its failure is a warning.
void attempt(const auto& part) try { part(); } catch (const Error& error) {
    spdlog::warn("{}", error.what());
}

class Sweep {
public:
    explicit Sweep(const SweepSetting& setting)
        : setting_(setting),
          request_(setting.request),
          configurations_(setting.configurations),
          runs_(schedule(configurations_, request_.scaling, request_.repetitions,
                         request_.base.seed)),
          width_(design_width(designs_of(configurations_))),
          console_(setting.console),
          left_(setting.machine.usable_cpus(), setting.data.train.size()) {
        const auto context = context_json(setting.machine);
        for (Run& run : runs_) {
            run.settings.oversubscribed = oversubscribed(run.settings.config);
            run.settings.data = DataFacts(setting.data);
            run.context = context;
            run.startup = setting.startup;
        }
        if (!repeats()) return;
        // One line tells of each run; the runs themselves say no more than their progress.
        ConsoleOptions options = setting.console;
        options.quiet = true;
        console_ = Console(options);
    }

    void run() {
        warn_oversubscribed(configurations_, setting_.machine);
        if (request_.resume) resume();
        const InterruptScope interrupts;
        keep_state("running");
        try {
            if (is_sweep() && done() < runs_.size()) warm_up();
            for (Run& run : runs_) {
                InterruptScope::check(kIncomplete);
                if (run.started.empty()) run_one(run);
                if (!wants_ceiling(setting_, runs_, run)) continue;
                console_.progress().show({"ceiling", "serial runs at once"});
                attempt([&] { measure_ceiling(setting_, run); });
                console_.progress().clear();
            }
            InterruptScope::check(kIncomplete);
        } catch (const Error& error) {
            stop(is_interrupt(error));
            throw;
        } catch (const std::exception&) {
            stop(/*interrupted=*/false);
            throw;
        }
        keep_tables();
        if (!is_sweep()) return;
        const analysis::Analysis analysis = analysis::analyse(results_of(request_.out, runs_));
        if (!request_.measure_only) print_table(analysis);
        keep_state("complete");
        if (keeps()) finish_folder();
        if (std::ranges::all_of(analysis.correctness, &analysis::Correctness::equal)) return;
        throw Error(ExitCode::kVerification, "{} Report this as a bug.",
                    report::describe_correctness(analysis));
    }

private:
    [[nodiscard]] bool is_sweep() const { return runs_.size() > 1; }
    [[nodiscard]] bool repeats() const { return request_.repetitions > 1; }
    [[nodiscard]] bool keeps() const { return !request_.out.empty(); }
    [[nodiscard]] bool oversubscribed(const RunConfig& config) const {
        return is_oversubscribed(config, setting_.machine);
    }
    [[nodiscard]] core::Job job_of(const RunConfig& config, core::RunListener& listener) const {
        core::Job job = core::make_data_job(config, setting_.data, setting_.initial, listener);
        job.cpus = cpus_of_ranks(config, setting_.machine.topology);
        return job;
    }

    core::RunResult execute(core::Job job) const {
        job.rank_arguments = rank_arguments(job.config, request_);
        return run_job(job);
    }

    static bool has_ended(const Run& run) { return !run.started.empty() && !run.failure; }

    /// Runs that have ended well, in this process or in one before it.
    [[nodiscard]] std::size_t done() const {
        return static_cast<std::size_t>(std::ranges::count_if(runs_, has_ended));
    }

    /// The complete runs of the folder count as done.
    void resume() {
        take_stored_runs(request_.out, runs_);
        for (const Run& run : runs_) {
            if (!run.started.empty()) left_.add_done(run.settings.config, run.result.total_seconds);
        }
        if (request_.quiet || !has_runs(request_.out)) return;
        print_line(fmt::format("resume    {}: {} of {} runs are there", request_.out.string(),
                               done(), runs_.size()));
    }

    /// What runs first would pay for clocks that still rise and pages that are still cold.
    void warm_up() {
        if (!request_.quiet) {
            print_line(
                fmt::format("warm-up   up to {} steps of each mode, not counted", kWarmUpSteps));
        }
        std::set<std::string> modes;
        for (const RunConfig& config : configurations_) {
            if (!modes.insert(config.mode).second) continue;
            RunConfig few = config;
            few.workers = most_workers(config.mode);
            few.epochs = 1;
            few.steps_limit = std::min(few.steps_limit.value_or(kWarmUpSteps), kWarmUpSteps);
            core::RunListener silence;
            console_.progress().show({"warm-up", fmt::format("{}, N = {}", few.mode, few.workers)});
            execute(job_of(few, silence));
        }
        console_.progress().clear();
    }

    /// Of the configurations of `mode`; without those that are oversubscribed, if there are others.
    [[nodiscard]] std::size_t most_workers(const std::string& mode) const {
        std::size_t most = 0;
        for (const RunConfig& config : configurations_) {
            if (config.mode != mode || (most != 0 && oversubscribed(config))) continue;
            most = std::max(most, config.workers);
        }
        return most;
    }

    void run_one(Run& run) {
        RunConfig& config = run.settings.config;
        core::Job job = job_of(config, console_);
        const std::size_t steps = steps_of(job);
        if (!request_.trace.empty()) {
            job.config.trace = config.trace = core::choose_trace_steps(
                request_.trace_steps, request_.base.epochs == 0 ? 0 : steps);
        }
        tell_place();
        console_.begin_run(config, steps, run.settings.oversubscribed,
                           {done() + 1, runs_.size(), [this, &config](double seconds) {
                                TimeLeft left = left_;
                                left.add_done(config, seconds);
                                return left.estimate_seconds(runs_);
                            }});
        run.started = utc_now();
        try {
            const ConditionsReading before = read_conditions(setting_.machine.affinity);
            run.result = execute(job);
            run.conditions = conditions_between(before, read_conditions(setting_.machine.affinity));
            note_cold_steps(run);
        } catch (const std::exception& error) {
            console_.progress().clear();
            run.failure = failure_of(error);
            keep_failure(run);
            throw;
        }
        console_.progress().clear();
        const std::vector<core::WorkerTrace> traces = take_traces(run.result);
        left_.add_done(config, run.result.total_seconds);
        tell(run);
        if (keeps()) run.file = write_run(request_.out, run);
        if (!request_.trace.empty()) tell_trace(config, run.result, traces);
    }

    void tell(const Run& run) {
        if (!repeats()) {
            if (!request_.quiet || !is_sweep()) {
                console_.print_summary(run.result, run.settings.oversubscribed);
            }
            return;
        }
        if (request_.quiet) return;
        print_line(fmt::format(
            "run {:>3}/{}  {:<{}} N = {:<3} repetition {}  {:>7.2f} s  {:>7} images/s  {}", done(),
            runs_.size(), design_of(run.settings.config), width_, run.workers(), run.repetition,
            run.result.train_seconds(), count(run.result.images_per_second()), time_left()));
    }

    /// Without repetitions every run has lines of its own; this one tells how far the sweep is.
    void tell_place() const {
        if (request_.quiet || repeats() || !is_sweep()) return;
        const std::string left = time_left();
        print_line(fmt::format("run       {} of {}{}{}", done() + 1, runs_.size(),
                               left.empty() ? "" : ", ", left));
    }

    [[nodiscard]] std::string time_left() const {
        const double seconds = left_.estimate_seconds(runs_);
        return seconds == 0.0 ? "" : duration_text(seconds) + " left";
    }

    void tell_trace(const RunConfig& config, const core::RunResult& result,
                    const std::vector<core::WorkerTrace>& traces) const {
        if (result.times_left_out) {
            spdlog::warn("no trace is written: {}", analysis::describe_clocks(result));
            return;
        }
        const TraceCounts counts = write_trace(request_.trace, config, traces);
        print_line(fmt::format(
            "trace     {}: steps {} of epoch 1, {} events; open it in "
            "ui.perfetto.dev",
            request_.trace.string(), to_text(*config.trace), with_separators(counts.events)));
        if (counts.dropped == 0) return;
        spdlog::warn(
            "{} more events did not fit in the trace: choose fewer steps with --trace-steps",
            with_separators(counts.dropped));
    }

    /// Writes what is known of a run that failed. Should that fail too, the first failure is still
    /// the one to tell.
    void keep_failure(const Run& run) const {
        if (keeps()) attempt([&] { write_run(request_.out, run); });
    }

    void keep_state(const std::string& status) {
        if (!keeps() || !is_sweep()) return;
        SweepFile file{status,
                       request_.arguments,
                       request_.working_directory,
                       request_.started.empty() ? started_ : request_.started,
                       status == "running" ? "" : utc_now(),
                       runs_.size(),
                       {}};
        for (const Run& run : runs_) file.order.push_back(run_file_name(run));
        write_sweep_file(request_.out, file);
    }

    /// The runs' own files are what counts: without tables a sweep has lost nothing.
    void keep_tables() const {
        if (!keeps() || !has_runs(request_.out)) return;
        attempt([&] { write_runs_csv(request_.out, read_results(request_.out)); });
    }

    /// What was measured is shown and kept before the failure is told.
    void stop(bool interrupted) {
        if (!is_sweep()) return;
        attempt([&] { keep_state(interrupted ? "interrupted" : "failed"); });
        if (request_.measure_only) return;
        if (done() > 0) {
            std::vector<Run> ended = runs_;
            std::erase_if(ended, [](const Run& run) { return !has_ended(run); });
            print_table(analysis::analyse(results_of(request_.out, std::move(ended))));
        }
        keep_tables();
        if (!keeps()) return;
        const auto kept =
            std::ranges::count_if(runs_, [](const Run& run) { return !run.file.empty(); });
        spdlog::warn("{} of {} runs are kept in {}; go on with: dp_compare --resume {}", kept,
                     runs_.size(), request_.out.string(), request_.out.string());
    }

    void finish_folder() try {
        if (!request_.report) return;
        complete_folder(
            {request_, configurations_, setting_.machine,
             [&](const RunConfig& config, const fs::path& file) { trace_steps(config, file); }});
    } catch (const Error& error) {
        if (!is_interrupt(error)) throw;
        throw Error(error.code(),
                    "stopped before the report was complete: all {} runs are kept in {}; make it "
                    "with: dp_compare report {}",
                    runs_.size(), request_.out.string(), request_.out.string());
    }

    void trace_steps(const RunConfig& config, const fs::path& file) const {
        core::RunListener silence;
        core::Job job = job_of(config, silence);
        const std::size_t steps = steps_of(job);
        if (steps == 0) return;
        job.config.trace = {core::choose_trace_steps({}, steps).first, steps};
        core::RunResult result = execute(job);
        if (result.times_left_out) {
            throw Error(ExitCode::kRunFailed, "{} with N = {}: {}", config.mode, config.workers,
                        analysis::describe_clocks(result));
        }
        std::vector<core::WorkerTrace> traces = take_traces(result);
        job.config.trace = steps_to_show(runs_, config, result, *job.config.trace);
        for (core::WorkerTrace& trace : traces) keep_steps(trace, *job.config.trace);
        write_trace(file, job.config, traces);
    }

    const SweepSetting& setting_;
    const Request& request_;
    const std::vector<RunConfig>& configurations_;
    std::vector<Run> runs_;  // started: those that have a time for that
    const std::string started_ = utc_now();
    const std::size_t width_;  // of designs, in the lines of runs
    Console console_;
    TimeLeft left_;
};

}  // namespace

void run_all(const SweepSetting& setting) { Sweep(setting).run(); }

}  // namespace dp::experiments
