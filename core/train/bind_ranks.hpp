// The CPUs that a run gives its ranks.
#pragma once

#include <cstddef>

#include "core/train/job.hpp"

namespace dp::core {

/// Lets the calling thread, and threads that it starts, run on the CPUs that `job` binds ranks
/// `first` to `first` + `count` - 1 to, and on no others; does nothing where it binds none. A rank
/// calls it before it touches its memory, so that the pages are near its CPU. Throws
/// Error(kResources) when the system refuses.
void bind_ranks(const Job& job, std::size_t first, std::size_t count = 1);

}  // namespace dp::core
