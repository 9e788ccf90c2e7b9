// A job on a data set in memory.
#pragma once

#include "core/data/dataset.hpp"
#include "core/train/job.hpp"

namespace dp::core {

/// The job that `config` describes on `data`, started now. Borrows `data`, `initial` (may be null)
/// and `listener`, which must outlive it. Throws Error(kUsage) when config.model is unknown.
Job make_data_job(const RunConfig& config, const Dataset& data, const StateDict* initial,
                  RunListener& listener);

}  // namespace dp::core
