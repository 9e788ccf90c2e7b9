#include "experiments/allreduce/launched_rank.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/optional_json.hpp"
#include "experiments/allreduce/rounds.hpp"
#include "multiproc/mpi/events.hpp"
#include "multiproc/mpi/identity.hpp"
#include "multiproc/mpi/load_module.hpp"
#include "multiproc/mpi/place.hpp"
#include "multiproc/mpi/reductions.hpp"

namespace dp::experiments::allreduce {
namespace {

using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

void require_this_machine(const Json& row, std::size_t rank) {
    if (row.at("clock") == multiproc::machine_start()) return;
    throw Error(ExitCode::kUsage,
                "worker {} runs on another machine than the program that measures, whose clock "
                "times all: have all started here, with an --mpi-run that names no other host",
                rank);
}

void sum_in_rounds(const Json& row, std::size_t rank) {
    const auto workers = row.at("workers").get<std::size_t>();
    const auto count = row.at("count").get<std::size_t>();
    const auto timeout_seconds = row.at("timeout_seconds").get<double>();
    Scoreboard board(row.at("board").get<std::string>(), workers,
                     {row.at("repetitions").get<std::optional<std::size_t>>()}, timeout_seconds);
    const auto& reduction =
        core::find_reduction(multiproc::mpi_reductions(), row.at("reduction").get<std::string>());
    const auto world = multiproc::open_mpi_world();
    if (world->world_size() != workers) {
        throw Error(ExitCode::kUsage,
                    "the launcher has started {} processes, and {} are timed: leave -n out of "
                    "--mpi-run",
                    world->world_size(), workers);
    }
    multiproc::EventWriter().on_worker_start(rank, getpid());
    {
        const auto exchange = reduction.make(*world, {{0, count}}, count,
                                             {&board.failed(), timeout_seconds, nullptr});
        run_rounds(board, rank, *exchange, exchange->gradients());
        world->barrier();  // none takes its channels away that another still uses
    }
    world->close();
}

}  // namespace

std::vector<std::string> rank_arguments(const LaunchedRow& row) {
    const Json text{{"reduction", row.reduction},
                    {"workers", row.workers},
                    {"count", row.count},
                    {"repetitions", row.repetitions},
                    {"timeout_seconds", row.timeout_seconds},
                    {"board", row.board},
                    {"clock", multiproc::machine_start()}};
    return {kRankCommand, text.dump()};
}

ExitCode run_rank(const std::string& text) try {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing is left when mpirun is killed
    const auto place = multiproc::mpi_place();
    if (!place) {
        throw Error(ExitCode::kUsage,
                    "{} is for the processes that dp_compare allreduce starts: use that",
                    kRankCommand);
    }
    const Json row = Json::parse(text);
    require_this_machine(row, place->rank);
    sum_in_rounds(row, place->rank);
    if (place->rank == 0) multiproc::write_result(Json::object());
    return ExitCode::kSuccess;
} catch (...) {
    const Error error = core::as_error(std::current_exception());
    multiproc::write_failure(error);
    return error.code();
}

}  // namespace dp::experiments::allreduce
