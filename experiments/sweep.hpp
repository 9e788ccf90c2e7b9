// From a request to its results: data, machine, one run after another, the table.
#pragma once

#include "core/base/error.hpp"
#include "experiments/command_line.hpp"

namespace dp::experiments {

/// Does what `request` asks. Throws Error when a run fails; the runs before it have been printed
/// and written. The calling process stays free of threads: every run has fresh processes of its
/// own.
void run_request(const Request& request);

}  // namespace dp::experiments
