// One rank of mode mpi: a program that a launcher has started, for a run of this program or by the
// user's own command.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/train/run_config.hpp"
#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// The hidden subcommand that rank_arguments() begin with.
inline constexpr const char* kRankCommand = "mpi-rank";

/// The arguments with which this program does the work of one rank of the run `config` of
/// `request`; they hold all that it must know, for other machines have other files.
std::vector<std::string> rank_arguments(const core::RunConfig& config, const Request& request);

/// What stands behind kRankCommand.
struct RankRequest {
    std::string text;
};

/// Does what `text` says, and tells of it on stdout as the program that had it started reads it,
/// failures too; returns the exit code.
core::ExitCode run_rank(const std::string& text);

/// `mpirun -n 4 dp_compare --mode mpi`: adopts the launcher's world size. Throws Error(kUsage)
/// where `request` is not one run of mode mpi with as many workers as there are ranks;
/// `workers_given` says whether -n was. Changes nothing where no launcher has started the program.
void join_world(Request& request, bool workers_given);

/// Throws Error(kUsage) where a launcher has started the program for `subcommand`, which is no
/// training.
void require_no_launcher(const std::string& subcommand);

/// Before a rank says why it fails: where all ranks have seen the same, rank 0 says so, and the
/// launcher ends the others before this returns.
void let_first_rank_speak();

/// True in all ranks but the first that the user's own launcher has started: rank 0 speaks and
/// writes for all.
bool is_silent_rank();

/// The part of such a rank in `request`.
void run_silent_rank(const Request& request);

}  // namespace dp::experiments
