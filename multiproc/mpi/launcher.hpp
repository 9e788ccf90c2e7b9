// Having the ranks of a run started: mpirun as a child, what the ranks tell, and what mpirun says
// when it cannot.
#pragma once

#include <string>

#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::multiproc {

/// Throws Error(kUsage), with the remedy, where `command`, or mpirun where it is empty, would start
/// nothing: it is not on PATH, or the user is root and has not allowed it that.
void check_launcher(const std::string& command);

/// Has the ranks of `job` started and returns their result; job.listener hears of the run here. The
/// caller has one thread. Throws WorkerFailure when a rank dies or fails, Error(kUsage) when the
/// launcher refuses, Error(kInterrupted or kTerminated) on SIGINT or SIGTERM. When it returns or
/// throws, the launcher has ended, and with it the ranks.
core::RunResult launch_ranks(const core::Job& job);

}  // namespace dp::multiproc
