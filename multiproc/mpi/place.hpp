// Whether this process is one of those that mpirun or srun has started, as its environment says.
#pragma once

#include <cstddef>
#include <optional>

namespace dp::multiproc {

struct MpiPlace {
    std::size_t rank = 0;
    std::size_t world_size = 1;
    std::size_t local_size = 1;  // ranks on this machine; all where the launcher does not say
    std::size_t local_rank = 0;  // among them; `rank` where the launcher does not say
};

/// Knows the variables of Open MPI, of PMI (MPICH, Slurm) and of PMIx; none where no launcher has
/// set them.
std::optional<MpiPlace> mpi_place();

}  // namespace dp::multiproc
