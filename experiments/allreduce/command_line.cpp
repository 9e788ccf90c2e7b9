#include "experiments/allreduce/command_line.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/option_values.hpp"

namespace dp::experiments::allreduce {
namespace {

constexpr const char* kDescription =
    "Time each reduction by itself, from the last arrival to the last finish";

constexpr const char* kFooter =
    "Each round rewrites all gradients and checks all sums; #wrong counts floats that differ from\n"
    "the exact sum. algbw is bytes over the median time, busbw is algbw * 2 (N-1) / N.\n"
    "Examples:\n"
    "  dp_compare allreduce --mode threads,procs -n 2,4 --bytes 4096,4591656\n"
    "  dp_compare allreduce --mode mpi\n"
    "Exit codes: those of dp_compare; 5: a sum was wrong.";

/// 2 GiB.
constexpr std::size_t kMostBytes = std::size_t{1} << 31;

void require_possible(std::size_t workers, const Request& request) {
    const bool teams = std::ranges::any_of(
        request.modes, [](const std::string& mode) { return mode_of(mode).has_teams; });
    if (!teams || workers * request.threads_per_worker <= kMaxWorkers) return;
    throw core::Error(core::ExitCode::kUsage,
                      "-n {} with --threads-per-worker {} makes {} workers: choose at most {}",
                      workers, request.threads_per_worker, workers * request.threads_per_worker,
                      kMaxWorkers);
}

}  // namespace

CLI::App& add_subcommand(CLI::App& program, RawOptions& raw) {
    Request& request = raw.request;
    CLI::App& app = *program.add_subcommand("allreduce", kDescription);
    app.footer(kFooter);
    const auto list = [&](const char* names, auto& values, const std::string& help) {
        return app.add_option(names, values, help)
            ->delimiter(',')
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    std::string known;
    for (const TimedReduction& row : reductions()) {
        known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", row.traits.name, row.mode);
    }
    list("--mode", request.modes,
         "Modes to time, of " + core::join(modes_that(&Mode::timed_alone)) +
             " (default: " + core::join(usual_modes()) + ")")
        ->type_name("MODE[,MODE...]");
    list("-n,--workers,--world-size", raw.workers, "Workers (ranks), for example 2,4 (default: 2)")
        ->type_name("N[,N...]");
    app.add_option("--threads-per-worker", request.threads_per_worker,
                   "Threads of each process of mode hybrid, whose -n counts processes")
        ->check(whole_number(1, kMaxWorkers))
        ->capture_default_str();
    list("--reduction", request.reductions, "Only these: " + known)->type_name("NAME[,NAME...]");
    list("--bytes", request.bytes,
         "Bytes of one rank's gradients, whole floats (default: 4 KiB to 64 MiB by factor 4, and "
         "cifar_cnn's 4591656)")
        ->type_name("B[,B...]")
        ->check(whole_number(sizeof(float), kMostBytes));
    app.add_option("--repetitions", request.repetitions,
                   "Timed rounds of each row (default: as many as fit into a third of a second, 5 "
                   "to 2000)")
        ->check(whole_number(1, 1'000'000));
    app.add_option("--timeout", request.timeout_seconds,
                   "Seconds to wait for a worker that is late")
        ->check(number_in(0.1, 1e9, "a number of seconds from 0.1"))
        ->capture_default_str();
    app.add_option("--mpi-run", request.mpi_run,
                   "Command that starts the ranks of mode mpi, on this machine (default: mpirun)")
        ->type_name("COMMAND");
    app.add_option("--out", request.out, "Write allreduce.json into this folder")->type_name("DIR");
    app.add_flag("--force", request.force, "Overwrite results in --out");
    return app;
}

Request finish(const RawOptions& raw) {
    Request request = raw.request;
    request.workers.clear();
    for (const std::string& text : raw.workers) request.workers.push_back(parse_workers(text));
    require_unique(request.modes, "--mode");
    require_unique(request.workers, "-n");
    require_unique(request.reductions, "--reduction");
    require_unique(request.bytes, "--bytes");
    for (const std::size_t bytes : request.bytes) {
        if (bytes % sizeof(float) == 0) continue;
        throw core::Error(core::ExitCode::kUsage,
                          "--bytes {} is no whole number of floats: give a multiple of {}", bytes,
                          sizeof(float));
    }
    for (const std::size_t workers : request.workers) require_possible(workers, request);
    const std::vector<TimedReduction> chosen = chosen_reductions(request);
    for (const std::string& name : request.reductions) {
        warn_of_former_name(
            std::ranges::find_if(
                chosen, [&](const TimedReduction& row) { return row.traits.is_called(name); })
                ->traits,
            name);
    }
    request.leaves_out = request.reductions.empty();  // who asks by name is told
    return request;
}

}  // namespace dp::experiments::allreduce
