// The message-passing model on one machine or several: ranks that mpirun or srun starts, each a
// program of its own that loads the data itself.
//
//   mpirun -n 2
//     rank 0, started by mpirun: reads the data, supervises            rank 1: likewise
//       its worker, a fork: loads MPI, trains, gathers the results        its worker
//
// The worker is a process of its own, as in the other models: its supervisor stays free of MPI,
// OpenMP and oneDNN, and tells how it ended.
#pragma once

#include <functional>
#include <string>

#include "core/train/job.hpp"
#include "core/train/run_result.hpp"
#include "multiproc/mpi/mpi_world.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

/// In a process that a launcher has started (mpi_place()), does its rank's part of `job`; all ranks
/// call it with the same configuration, and rank 0 gets the result, the others an empty one.
/// Elsewhere has mpirun, or job.config.mpi_run, start job.config.workers ranks with
/// job.rank_arguments, and returns their result. Fails as run_process_group does; when it returns
/// or throws, no process is left.
core::RunResult run_mpi(const core::Job& job);

/// What a worker does in the world of all, whose processes are alike: trains the rank or ranks of
/// its own process, thread t of which says in segment.position(t) where it is; `leave` is
/// core::Job::leave. Returns what core::run_worker does on its first rank.
using TrainInWorld = std::function<core::RunResult(
    const core::Job& job, MpiWorld& world, const SharedSegment& segment,
    const std::function<void(const core::Error& error)>& leave)>;

/// As run_mpi, of processes with config.threads_per_worker ranks each, which `train` trains.
core::RunResult run_launched(const core::Job& job, const TrainInWorld& train);

/// Processes of a run of `config`.
std::size_t processes_of(const core::RunConfig& config);
/// "worker 3", or "the process of workers 2 to 3" where it has several threads.
std::string process_name(const core::RunConfig& config, std::size_t process);

/// Before the first run: throws Error(kUsage), with the remedy, where `config` cannot be started.
void check_mpi(const core::RunConfig& config);

}  // namespace dp::multiproc
