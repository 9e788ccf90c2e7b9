// How large a batch per worker has to be for N workers to stay efficient: the exchange and the
// update cost the same whatever the batch, computing grows with it.
#pragma once

#include <cstddef>

#include "experiments/statistics/outcome.hpp"
#include "experiments/statistics/step_model.hpp"

namespace dp::experiments::statistics {

struct Isoefficiency {
    std::size_t batch = 1;    // the least per worker that reaches the target
    double efficiency = 1.0;  // with it
};

/// images/s of `workers` with `batch` each, over `workers` times those of one with the same batch.
double efficiency_of(const StepModel& model, std::size_t workers, std::size_t batch);

/// Source: Grama, Gupta and Kumar, "Isoefficiency: measuring the scalability of parallel algorithms
/// and architectures", 1993. Refused where no batch is large enough, because what grows with the
/// batch is what scales badly. A slice of the update for each worker can make tiny batches
/// efficient where larger ones are not: refused too where `batch`, the one in use, is larger than
/// what is found and misses the target. Requires a target in (0, 1]: CheckFailure.
Outcome<Isoefficiency> batch_for_efficiency(const StepModel& model, std::size_t workers,
                                            double target, std::size_t batch = 1);

}  // namespace dp::experiments::statistics
