#include "experiments/sweep/rank.hpp"

#include <sys/prctl.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "core/base/affinity.hpp"
#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "core/checkpoint/checkpoint.hpp"
#include "core/data/dataset_table.hpp"
#include "core/train/data_job.hpp"
#include "experiments/machine/binding.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/run_settings.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/sweep/checks.hpp"
#include "experiments/sweep/plan.hpp"
#include "multiproc/mpi/events.hpp"
#include "multiproc/mpi/identity.hpp"
#include "multiproc/mpi/place.hpp"

namespace dp::experiments {
namespace {

using core::Error;
using core::ExitCode;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

// What rank 0 needs to fail as this rank has, and the launcher to end the others then.
constexpr auto kGrace = std::chrono::milliseconds(2500);

core::RunResult run_config(const core::RunConfig& config, const core::Dataset& data,
                           core::RunListener& listener, Clock::time_point started) {
    core::StateDict initial;
    if (!config.load.empty()) initial = core::load_checkpoint(config.load);
    core::Job job =
        core::make_data_job(config, data, config.load.empty() ? nullptr : &initial, listener);
    job.started = started;
    if (binds(config.bind)) job.cpus = cpus_of_ranks(config, read_topology(core::started_cpus()));
    return run_job(job);
}

/// When the run began, where the clock of the program that began it is this machine's.
Clock::time_point start_of(const Json& rank) {
    if (rank.at("clock") != multiproc::machine_start()) return Clock::now();
    return Clock::time_point(Clock::duration(rank.at("started").get<Clock::rep>()));
}

}  // namespace

std::vector<std::string> rank_arguments(const core::RunConfig& config, const Request& request) {
    Json rank{{"config", RunSettings{config, {}, {}, {}}},
              {"data_dir", request.data_dir.string()},
              {"clock", multiproc::machine_start()},
              {"started", Clock::now().time_since_epoch().count()}};
    return {kRankCommand, rank.dump()};
}

ExitCode run_rank(const std::string& text) try {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left when mpirun is killed
    if (!multiproc::mpi_place()) {
        throw Error(ExitCode::kUsage,
                    "{} is for the processes that --mode mpi starts: train with --mode mpi",
                    kRankCommand);
    }
    const Json rank = Json::parse(text);
    const auto started = start_of(rank);
    const auto config = rank.at("config").get<RunSettings>().config;
    const core::Dataset data =
        core::load_dataset(config.dataset, rank.at("data_dir").get<std::string>(), config.seed);
    multiproc::EventWriter listener;
    const core::RunResult result = run_config(config, data, listener, started);
    if (multiproc::mpi_place()->rank == 0) multiproc::write_result(result);
    return ExitCode::kSuccess;
} catch (const Error& error) {
    multiproc::write_failure(error);
    return error.code();
} catch (...) {
    const Error error = core::as_error(std::current_exception());
    multiproc::write_failure(error);
    return error.code();
}

void join_world(Request& request, bool workers_given) {
    const auto place = multiproc::mpi_place();
    if (!place) return;
    if (request.modes.size() != 1 || !find_mode(request.modes.front()).is_launched) {
        throw Error(ExitCode::kUsage,
                    "a launcher has started {} processes of dp_compare, which one of --mode {} is "
                    "for: give one, or run dp_compare without mpirun, which it starts itself",
                    place->world_size, core::join(modes_that(&Mode::is_launched)));
    }
    if (workers_given && request.workers != std::vector{place->world_size}) {
        throw Error(
            ExitCode::kUsage,
            "-n of dp_compare is not the {} processes that the launcher has started: leave it "
            "out",
            place->world_size);
    }
    if (request.repetitions > 1) {
        throw Error(ExitCode::kUsage,
                    "--reps {}: ranks that a launcher has started do one run: run dp_compare "
                    "without mpirun, which starts each run with its own",
                    request.repetitions);
    }
    request.workers = {place->world_size};
}

void require_no_launcher(const std::string& subcommand) {
    if (!multiproc::mpi_place()) return;
    throw Error(ExitCode::kUsage,
                "dp_compare {} is one process, and a launcher has started several: run it without "
                "mpirun",
                subcommand);
}

void let_first_rank_speak() {
    if (is_silent_rank()) std::this_thread::sleep_for(kGrace);
}

bool is_silent_rank() {
    const auto place = multiproc::mpi_place();
    return place && place->rank != 0;
}

void run_silent_rank(const Request& request) {
    const auto started = Clock::now();
    const core::Dataset data =
        core::load_dataset(request.base.dataset, request.data_dir, request.base.seed);
    core::RunConfig config = plan_runs(request, data.train.size()).front();
    core::RunListener silence;
    if (!request.trace.empty()) {
        const std::size_t steps = steps_of(core::make_data_job(config, data, nullptr, silence));
        config.trace =
            core::choose_trace_steps(request.trace_steps, config.epochs == 0 ? 0 : steps);
    }
    run_config(config, data, silence, started);
}

}  // namespace dp::experiments
