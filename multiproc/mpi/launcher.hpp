// Having the ranks of a run started: mpirun as a child, what the ranks tell, and what mpirun says
// when it cannot.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/train/job.hpp"

namespace dp::multiproc {

/// Throws Error(kUsage), with the remedy, where `command`, or mpirun where it is empty, would start
/// nothing: it is not on PATH, or the user is root and has not allowed it that.
void check_launcher(const std::string& command);

/// What is to be started.
struct Launch {
    std::size_t processes = 1;
    std::string command;                 // a shell's; empty: mpirun, here
    std::vector<std::string> arguments;  // with which this program does the work of one process
    double timeout_seconds = 300.0;      // until the first has started
};

/// Has the processes started and returns what the first of them passes to write_result();
/// `listener` hears of the run here. The caller has one thread. Throws WorkerFailure when a process
/// dies or fails, Error(kUsage) when the launcher refuses, Error(kInterrupted or kTerminated) on
/// SIGINT or SIGTERM. When it returns or throws, the launcher has ended, and with it the processes.
std::string launch_ranks(const Launch& launch, core::RunListener& listener);

}  // namespace dp::multiproc
