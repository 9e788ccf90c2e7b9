// Reading all ranks' clocks from rank 0. Part of the module.
#pragma once

#include <mpi.h>

#include <vector>

#include "multiproc/mpi/clocks.hpp"
#include "multiproc/mpi/roll_call.hpp"

namespace dp::multiproc {

/// All ranks of `world` call it. Returns a reading for each rank on rank 0, nothing on the others.
/// Throws as RollCall::wait does.
std::vector<ClockReading> read_clocks(MPI_Comm world, RollCall& roll_call,
                                      const core::WaitLimits& limits);

}  // namespace dp::multiproc
