// The message-passing model: forked processes that own all they compute with and exchange their
// gradients, which lie in one shared segment, by a reduction of reductions.hpp.
#pragma once

#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::multiproc {

/// Forks job.config.workers processes, supervises them and collects their results. The caller must
/// not have used OpenMP or oneDNN. Fails as run_process_group does.
core::RunResult run_procs(const core::Job& job);

}  // namespace dp::multiproc
