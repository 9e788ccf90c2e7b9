// Runs what the command line asked for, one configuration after the other, each in fresh child
// processes, and tells and keeps what came out.
//
// A sweep (more than one run) starts with a warm-up that is not counted. With --out every run's
// file is written as soon as it has ended, so that an interrupted sweep loses one run at most and
// --resume goes on where it stopped; at its end stand the tables, what a report needs beside the
// runs (the reductions timed alone, a trace of each model) and the report.
#pragma once

#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// Throws Error and WorkerFailure with the exit code to end with; what had been measured is kept.
void run_request(const Request& request);

}  // namespace dp::experiments
