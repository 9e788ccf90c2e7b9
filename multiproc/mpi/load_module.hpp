// Loading libdp_mpi.so, the one part of the program that is linked with MPI.
#pragma once

#include <memory>

#include "multiproc/mpi/mpi_world.hpp"

namespace dp::multiproc {

/// Throws Error(kUsage) with the packages to install when the module is not there: it lies beside
/// the program where the build found MPI.
void require_mpi_module();

/// Loads the module and starts MPI: once in a process, which another one started for that purpose.
/// Throws Error(kUsage) when the module is missing or another version's, Error(kResources) when MPI
/// does not start.
std::unique_ptr<MpiWorld> open_mpi_world();

}  // namespace dp::multiproc
