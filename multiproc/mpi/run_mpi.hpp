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

#include <vector>

#include "core/exchange/exchange_traits.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::multiproc {

/// In a process that a launcher has started (mpi_place()), does its rank's part of `job`; all ranks
/// call it with the same configuration, and rank 0 gets the result, the others an empty one.
/// Elsewhere has mpirun, or job.config.mpi_run, start job.config.workers ranks with
/// job.rank_arguments, and returns their result. Fails as run_process_group does; when it returns
/// or throws, no process is left.
core::RunResult run_mpi(const core::Job& job);

/// Before the first run: throws Error(kUsage), with the remedy, where `config` cannot be started.
void check_mpi(const core::RunConfig& config);

}  // namespace dp::multiproc
