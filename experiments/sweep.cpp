#include "experiments/sweep.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include <spdlog/spdlog.h>

#include "core/data/dataset_table.hpp"
#include "core/train/checkpoint.hpp"
#include "core/train/data_job.hpp"
#include "experiments/console.hpp"
#include "experiments/machine.hpp"
#include "experiments/modes.hpp"
#include "experiments/option_values.hpp"
#include "experiments/result_file.hpp"
#include "experiments/trace_file.hpp"
#include "multiproc/process_group.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using core::RunConfig;

void check_shape(const core::ModelSpec& model, const core::Dataset& data) {
    if (model.input == data.shape()) return;
    const auto text = [](const core::ImageShape& shape) {
        return fmt::format("{} x {} x {}", shape.channels, shape.height, shape.width);
    };
    throw Error(ExitCode::kUsage,
                "--model {} takes images of {}, but --dataset {} has {}: choose another network "
                "or data set",
                model.name, text(model.input), data.name, text(data.shape()));
}

/// Fails now rather than after hours of training.
void check_writable(const char* option, const fs::path& file) {
    if (file.empty()) return;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    std::error_code ignored;
    if (fs::is_directory(file, ignored) || access(folder.c_str(), W_OK | X_OK) != 0) {
        throw Error(ExitCode::kUsage, "{} {} cannot be written: choose a file in a folder that can",
                    option, file.string());
    }
}

/// Serial plays all its ranks on one core.
std::size_t cores_wanted(const RunConfig& config) {
    return config.mode == "serial" ? 1 : config.workers;
}

void warn_oversubscribed(const std::vector<RunConfig>& runs, double usable) {
    const auto most = std::ranges::max_element(runs, {}, cores_wanted);
    if (static_cast<double>(cores_wanted(*most)) <= usable) return;
    spdlog::warn(
        "{} workers on {:g} usable CPUs: they take turns, so expect no speedup beyond {:g}; "
        "such runs are marked oversubscribed",
        cores_wanted(*most), usable, usable);
}

/// oneDNN would emulate it, several times slower than float32.
void check_precision(const core::NetworkOptions& options, const Machine& machine) {
    if (options.precision != core::Precision::kBFloat16 || machine.native_bf16) return;
    throw Error(ExitCode::kResources,
                "--precision bf16 needs a CPU with avx512_bf16 or AMX, and oneDNN uses {} here{}: "
                "train with --precision fp32",
                machine.onednn_isa,
                std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr ? " (ONEDNN_MAX_CPU_ISA is set)" : "");
}

struct Verdict {
    bool equal = true;
    std::string line;  // empty when there was nothing to compare
};

/// Runs with as many ranks must end with the same bits, whatever the mode.
Verdict compare_checksums(const std::vector<FinishedRun>& runs) {
    std::map<std::size_t, const FinishedRun*> first;
    std::set<std::size_t> compared;
    for (const FinishedRun& run : runs) {
        const std::size_t workers = run.config.workers;
        const FinishedRun& same = *first.try_emplace(workers, &run).first->second;
        if (&same == &run) continue;
        compared.insert(workers);
        if (same.result.checksum != run.result.checksum) {
            return {false,
                    fmt::format("{} and {} end with different parameters at N = {}: no row can "
                                "be trusted; report this as a bug",
                                same.config.mode, run.config.mode, workers)};
        }
    }
    if (compared.empty()) return {};
    std::string counts;
    for (const std::size_t workers : compared) {
        counts += (counts.empty() ? "" : ", ") + fmt::to_string(workers);
    }
    return {true, "Checked: modes with the same N end with equal parameters, bit for bit (N = " +
                      counts + ")."};
}

void print_dry_run(const core::ModelSpec& model, const RunConfig& config) {
    const double bytes = static_cast<double>(model.parameters) * sizeof(float);
    const double share =
        static_cast<double>(config.workers - 1) / static_cast<double>(config.workers);
    const std::string moved =
        config.mode == "serial" || config.workers == 1
            ? "no exchange"
            : fmt::format("each worker {} {:.2f} MB a step",
                          config.mode == "procs" ? "moves" : "reads from the others",
                          (config.mode == "procs" ? 2.0 * share : share) * bytes / 1e6);
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

/// Writes what is known of a run that failed. Should that fail too, the first failure is still the
/// one to tell.
void keep_failure(const Request& request, const RunRecord& record, const Machine& machine,
                  const core::Dataset& data) {
    if (request.out.empty()) return;
    try {
        write_run(request.out, record, machine, data);
    } catch (const Error& error) {
        spdlog::warn("{}", error.what());
    }
}

core::StepRange choose_steps(const Request& request, std::size_t steps) {
    return core::choose_trace_steps(request.trace_steps, request.base.epochs == 0 ? 0 : steps);
}

void write_trace_of(const Request& request, const RunConfig& config,
                    const std::vector<core::WorkerTrace>& traces) {
    const TraceCounts counts = write_trace(request.trace, config, traces);
    print_line(fmt::format(
        "trace     {}: steps {} of epoch 1, {} events; open it in "
        "ui.perfetto.dev",
        request.trace.string(), to_text(*config.trace), with_separators(counts.events)));
    if (counts.dropped == 0) return;
    spdlog::warn("{} events more had no room in the trace: choose fewer steps with --trace-steps",
                 with_separators(counts.dropped));
}

}  // namespace

void run_request(const Request& request) {
    const std::vector<RunConfig> runs = plan_runs(request);
    const core::ModelSpec& model = core::find_model(request.base.model);
    check_writable("--save", request.base.save);
    check_writable("--trace", request.trace);
    if (!request.out.empty() && !request.dry_run)
        prepare_out(request.out, request.force, is_run_file);
    core::StateDict initial;
    if (!request.base.load.empty()) initial = core::load_checkpoint(request.base.load);

    StartUp startup;
    const auto before_load = std::chrono::steady_clock::now();
    const core::Dataset data =
        core::load_dataset(request.base.dataset, request.data_dir, request.base.seed);
    startup.data_load_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - before_load).count();
    check_shape(model, data);
    const Machine machine = read_machine();
    check_precision(request.base.network, machine);
    Console console({request.quiet, request.verbose,
                     !request.quiet && isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) != 0});
    console.print_machine(machine);
    console.print_data(data, model);
    warn_oversubscribed(runs, machine.usable_cpus());

    startup.before_runs_seconds = process_seconds();
    std::vector<FinishedRun> finished;
    for (const RunConfig& config : runs) {
        const bool oversubscribed =
            static_cast<double>(cores_wanted(config)) > machine.usable_cpus();
        core::Job job = core::make_data_job(
            config, data, request.base.load.empty() ? nullptr : &initial, console);
        const std::size_t steps = job.training(0)->steps();
        if (!request.trace.empty()) job.config.trace = choose_steps(request, steps);
        console.begin_run(config, steps, oversubscribed);
        if (request.dry_run) {
            print_dry_run(model, config);
            continue;
        }
        RunRecord record{job.config, {}, oversubscribed, utc_now(), startup, {}, {}};
        try {
            record.result = run_job(job);
        } catch (const std::exception& error) {
            console.end_progress();
            record.failure = failure_of(error);
            keep_failure(request, record, machine, data);
            throw;
        }
        const std::vector<core::WorkerTrace> traces = take_traces(*record.result);
        finished.push_back({config, *record.result, oversubscribed});
        if (!request.quiet || runs.size() == 1) console.print_summary(finished.back());
        if (!request.out.empty()) write_run(request.out, record, machine, data);
        if (!request.trace.empty()) write_trace_of(request, job.config, traces);
    }
    if (finished.size() < 2) return;
    const Verdict verdict = compare_checksums(finished);
    console.print_table(finished, verdict.line);
    if (!verdict.equal) throw Error(ExitCode::kVerification, verdict.line);
}

}  // namespace dp::experiments
