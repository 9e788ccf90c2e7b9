#include "experiments/sweep/sweep.hpp"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "core/checkpoint/checkpoint.hpp"
#include "core/data/dataset_table.hpp"
#include "core/train/data_job.hpp"
#include "experiments/machine/interrupt.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/option_values.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/gnuplot.hpp"
#include "experiments/report/report.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/results/runs_csv.hpp"
#include "experiments/results/sweep_file.hpp"
#include "experiments/results/trace_file.hpp"
#include "experiments/sweep/checks.hpp"
#include "experiments/sweep/completion.hpp"
#include "experiments/sweep/console.hpp"
#include "experiments/sweep/plan.hpp"
#include "experiments/sweep/run_table.hpp"
#include "experiments/sweep/time_left.hpp"
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

std::vector<RunConfig> plan(const Request& request, const core::Dataset& data) {
    std::vector<RunConfig> configurations = plan_configurations(request);
    if (request.scaling == Scaling::kWeak) equalise_steps(configurations, data.train.size());
    return configurations;
}

void print_dry_run(const core::ModelSpec& model, const RunConfig& config) {
    const double bytes = static_cast<double>(model.parameters) * sizeof(float);
    const Mode& mode = find_mode(config.mode);
    std::string moved = "no exchange";
    if (mode.exchanges && config.workers > 1) {
        const core::ExchangeTraits reduction = *mode.find_reduction(config.reduction);
        const double share = reduction.sent_per_byte(static_cast<double>(config.workers));
        moved = fmt::format("a worker passes on or reads from others at most {:.2f} MB a step",
                            share * bytes / 1e6);
    }
    print_line(fmt::format("          parameters {:.2f} MB; {}", bytes / 1e6, moved));
}

Failure failure_of(const std::exception& error) {
    Failure failure{ExitCode::kRunFailed, error.what(), {}, {}};
    if (const auto* ours = dynamic_cast<const Error*>(&error)) failure.code = ours->code();
    if (const auto* worker = dynamic_cast<const multiproc::WorkerFailure*>(&error)) {
        failure.rank = worker->rank();
        failure.signal = worker->signal();
    }
    return failure;
}

ConsoleOptions console_options(const Request& request) {
    return {request.quiet, request.verbose, /*progress=*/!request.quiet && !request.dry_run};
}

/// All that runs share.
struct Common {
    const Request& request;
    const core::ModelSpec& model;
    const core::Dataset& data;
    const Machine& machine;
    const core::StateDict* initial;
    StartUp startup;
};

class Sweep {
public:
    explicit Sweep(const Common& setting)
        : setting_(setting),
          request_(setting.request),
          configurations_(plan(setting.request, setting.data)),
          runs_(schedule(configurations_, request_.scaling, request_.repetitions,
                         request_.base.seed)),
          console_(console_options(request_)),
          left_(setting.machine.usable_cpus()) {
        if (!repeats()) return;
        // One line tells of each run; the runs themselves say no more than their progress.
        ConsoleOptions options = console_options(request_);
        options.quiet = true;
        console_ = Console(options);
    }

    void print_plan() {
        for (const RunConfig& config : configurations_) {
            console_ = Console(console_options(request_));
            const core::Job job = job_of(config, console_);
            console_.begin_run(config, job.training(0)->steps(), oversubscribed(config));
            print_dry_run(setting_.model, config);
        }
        if (!repeats()) return;
        print_line(
            fmt::format("sweep     {} repetitions of each, {} runs in all, in shuffled order",
                        request_.repetitions, runs_.size()));
    }

    void run() {
        warn_oversubscribed(configurations_, setting_.machine);
        if (request_.resume) take_stored();
        const InterruptScope interrupts;
        keep_state("running");
        try {
            if (is_sweep() && !to_run().empty()) warm_up();
            for (const PlannedRun* run : to_run()) {
                InterruptScope::check(kIncomplete);
                run_one(*run);
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
        const analysis::Analysis analysis = analysis::analyse(results_of(request_.out, finished_));
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
    [[nodiscard]] std::size_t images_per_epoch(const RunConfig& config) const {
        const std::size_t all = setting_.data.train.size();
        if (!config.steps_limit) return all;
        return std::min(all, *config.steps_limit * config.batch_size * config.workers);
    }

    [[nodiscard]] core::Job job_of(const RunConfig& config, core::RunListener& listener) const {
        return core::make_data_job(config, setting_.data, setting_.initial, listener);
    }

    static bool is_run_of(const PlannedRun& planned, const StoredRun& run) {
        return run.mode == planned.config.mode && run.workers == planned.config.workers &&
               run.repetition == planned.place.repetition;
    }

    [[nodiscard]] bool is_done(const PlannedRun& run) const {
        return std::ranges::any_of(finished_,
                                   [&](const StoredRun& done) { return is_run_of(run, done); });
    }

    [[nodiscard]] std::vector<const PlannedRun*> to_run() const {
        std::vector<const PlannedRun*> left;
        for (const PlannedRun& run : runs_) {
            if (!is_done(run)) left.push_back(&run);
        }
        return left;
    }

    /// --resume: the complete runs of the folder count as done.
    void take_stored() {
        if (!has_runs(request_.out)) return;
        const ResultsFolder stored = read_results(request_.out);
        for (const PlannedRun& planned : runs_) {
            const auto found = std::ranges::find_if(
                stored.runs, [&](const StoredRun& run) { return is_run_of(planned, run); });
            if (found == stored.runs.end()) continue;
            check_same_run(planned, *found);
            finished_.push_back(*found);
            ++kept_;
            left_.add_done(planned.config, images_per_epoch(planned.config),
                           found->result.total_seconds);
            warn_if_elsewhere(*found);
        }
        if (!request_.quiet) {
            print_line(fmt::format("resume    {}: {} of {} runs are there", request_.out.string(),
                                   finished_.size(), runs_.size()));
        }
    }

    /// A file of the right name may be of another sweep.
    void check_same_run(const PlannedRun& planned, const StoredRun& stored) const {
        const RunSettings wanted{planned.config, planned.place.scaling,
                                 oversubscribed(planned.config), DataFacts(setting_.data)};
        for (const auto& row : settings()) {
            if (row.name == "oversubscribed" || row.name == "data_source") continue;
            if (row.write(stored.settings) == row.write(wanted)) continue;
            throw Error(ExitCode::kUsage,
                        "--resume {}: {} was run with another {} than this sweep asks for: remove "
                        "it, or start a new sweep with --out",
                        request_.out.string(), stored.file.filename().string(), row.name);
        }
    }

    void warn_if_elsewhere(const StoredRun& run) {
        const auto now = context_json(setting_.machine);
        for (const char* field : {"cpu_model", "usable_cpus", "onednn_version", "onednn_isa",
                                  "dp_compare_version", "build"}) {
            if (warned_ || run.context.at(field) == now.at(field)) continue;
            warned_ = true;
            spdlog::warn(
                "{} was measured with {} {}, now it is {}: its figures do not compare "
                "with those that follow",
                run.file.string(), field, run.context.at(field).dump(), now.at(field).dump());
        }
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
            run_job(job_of(few, silence));
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

    void run_one(const PlannedRun& run) {
        core::Job job = job_of(run.config, console_);
        const std::size_t steps = job.training(0)->steps();
        if (!request_.trace.empty()) {
            job.config.trace = core::choose_trace_steps(request_.trace_steps,
                                                        request_.base.epochs == 0 ? 0 : steps);
        }
        tell_place();
        console_.begin_run(run.config, steps, oversubscribed(run.config),
                           {finished_.size() + 1, runs_.size(),
                            [this, &run](double seconds) { return seconds_after(run, seconds); }});
        RunRecord record{
            job.config, run.place, oversubscribed(run.config), utc_now(), setting_.startup, {}, {}};
        try {
            record.result = run_job(job);
        } catch (const std::exception& error) {
            console_.progress().clear();
            record.failure = failure_of(error);
            keep_failure(record);
            throw;
        }
        console_.progress().clear();
        const std::vector<core::WorkerTrace> traces = take_traces(*record.result);
        finished_.push_back(
            parse_run(run_json(record, setting_.machine, setting_.data), fs::path()));
        left_.add_done(run.config, images_per_epoch(run.config), record.result->total_seconds);
        tell(run);
        if (keeps()) {
            write_run(request_.out, record, setting_.machine, setting_.data);
            ++kept_;
        }
        if (!request_.trace.empty()) tell_trace(job.config, traces);
    }

    void tell(const PlannedRun& run) {
        const StoredRun& done = finished_.back();
        if (!repeats()) {
            if (!request_.quiet || !is_sweep()) {
                console_.print_summary(done.result, done.oversubscribed);
            }
            return;
        }
        if (request_.quiet) return;
        print_line(
            fmt::format("run {:>3}/{}  {:<8} N = {:<3} repetition {}  {:>7.2f} s  {:>7} "
                        "images/s  {}",
                        finished_.size(), runs_.size(), run.config.mode, run.config.workers,
                        run.place.repetition, done.result.train_seconds(),
                        count(done.result.images_per_second()), time_left()));
    }

    /// Without repetitions every run has lines of its own; this one tells how far the sweep is.
    void tell_place() const {
        if (request_.quiet || repeats() || !is_sweep()) return;
        const std::string left = time_left();
        print_line(fmt::format("run       {} of {}{}{}", finished_.size() + 1, runs_.size(),
                               left.empty() ? "" : ", ", left));
    }

    [[nodiscard]] double seconds_left(const TimeLeft& left, const PlannedRun* but) const {
        double seconds = 0.0;
        for (const PlannedRun* run : to_run()) {
            if (run == but) continue;
            seconds +=
                left.estimate_seconds(run->config, images_per_epoch(run->config)).value_or(0.0);
        }
        return seconds;
    }

    [[nodiscard]] double seconds_after(const PlannedRun& run, double seconds) const {
        TimeLeft left = left_;
        left.add_done(run.config, images_per_epoch(run.config), seconds);
        return seconds_left(left, &run);
    }

    [[nodiscard]] std::string time_left() const {
        const double seconds = seconds_left(left_, nullptr);
        return seconds == 0.0 ? "" : duration_text(seconds) + " left";
    }

    void tell_trace(const RunConfig& config, const std::vector<core::WorkerTrace>& traces) const {
        const TraceCounts counts = write_trace(request_.trace, config, traces);
        print_line(fmt::format(
            "trace     {}: steps {} of epoch 1, {} events; open it in "
            "ui.perfetto.dev",
            request_.trace.string(), to_text(*config.trace), with_separators(counts.events)));
        if (counts.dropped == 0) return;
        spdlog::warn(
            "{} events more had no room in the trace: choose fewer steps with --trace-steps",
            with_separators(counts.dropped));
    }

    /// Writes what is known of a run that failed. Should that fail too, the first failure is still
    /// the one to tell.
    void keep_failure(const RunRecord& record) const {
        if (!keeps()) return;
        try {
            write_run(request_.out, record, setting_.machine, setting_.data);
        } catch (const Error& error) {
            spdlog::warn("{}", error.what());
        }
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
        for (const PlannedRun& run : runs_) {
            file.order.push_back(
                run_file_name(run.config.mode, run.config.workers, run.place.repetition));
        }
        write_sweep_file(request_.out, file);
    }

    /// The runs' own files are what counts: without tables a sweep has lost nothing.
    void keep_tables() const {
        if (!keeps() || !has_runs(request_.out)) return;
        try {
            write_runs_csv(request_.out, read_results(request_.out));
        } catch (const Error& error) {
            spdlog::warn("{}", error.what());
        }
    }

    /// What was measured is shown and kept before the failure is told.
    void stop(bool interrupted) {
        if (!is_sweep()) return;
        try {
            keep_state(interrupted ? "interrupted" : "failed");
        } catch (const Error& error) {
            spdlog::warn("{}", error.what());
        }
        if (request_.measure_only) return;
        if (!finished_.empty()) {
            print_table(analysis::analyse(results_of(request_.out, finished_)));
        }
        keep_tables();
        if (!keeps()) return;
        spdlog::warn("{} of {} runs are kept in {}; go on with: dp_compare --resume {}", kept_,
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
        const std::size_t steps = job.training(0)->steps();
        if (steps == 0) return;
        job.config.trace = core::choose_trace_steps({}, steps);
        core::RunResult result = run_job(job);
        write_trace(file, job.config, take_traces(result));
    }

    const Common& setting_;
    const Request& request_;
    const std::vector<RunConfig> configurations_;
    const std::vector<PlannedRun> runs_;
    const std::string started_ = utc_now();
    Console console_;
    TimeLeft left_;
    std::vector<StoredRun> finished_;
    std::size_t kept_ = 0;  // runs that have their file
    bool warned_ = false;
};

}  // namespace

void run_request(const Request& request) {
    const core::ModelSpec& model = core::find_model(request.base.model);
    check_data_dir(request);
    if (!request.dry_run) {
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
    Console console(console_options(request));
    console.print_machine(machine);
    console.print_data(data, model);

    startup.before_runs_seconds = process_seconds();
    const Common setting{request, model, data, machine, loads ? &initial : nullptr, startup};
    Sweep sweep(setting);
    if (request.dry_run) {
        sweep.print_plan();
        return;
    }
    sweep.run();
}

}  // namespace dp::experiments
