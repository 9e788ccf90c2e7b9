// The message-passing model: forked processes that own all their memory and exchange gradients
// through a ring.
#pragma once

#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::multiproc {

/// Forks job.config.workers processes, supervises them and collects their results. The caller must
/// not have used OpenMP or oneDNN. Fails as run_process_group does.
core::RunResult run_procs(const core::Job& job);

}  // namespace dp::multiproc
