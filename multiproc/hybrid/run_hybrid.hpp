// Both models at once: processes of several threads each. Threads of one process share its
// parameters and sum gradients in place; threads that have the same slice in different processes
// exchange it by messages.
#pragma once

#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::multiproc {

/// Runs job.config.workers ranks in processes of job.config.threads_per_worker threads, a divisor
/// of them: rank r is thread r modulo that number of its process. The caller must not have used
/// OpenMP or oneDNN. Fails as run_process_group does.
core::RunResult run_hybrid(const core::Job& job);

/// The same in processes that a launcher starts and that MPI joins, on one machine or several; the
/// sums, and so the bits, are the same. To be called as run_mpi is, and fails as that does.
core::RunResult run_hybrid_mpi(const core::Job& job);

}  // namespace dp::multiproc
