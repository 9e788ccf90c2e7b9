// Loops over the OpenMP threads that compute for one worker: one in most modes, several where one
// replica uses many.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace dp::core {

/// Calls `work(first, last)` for consecutive parts that are [0, count) together, of nearly equal
/// length: one for each of the calling thread's omp_get_max_threads(), at the same time. `work`
/// must not throw. Source: "loop-level parallelism", Chapman, Jost and van der Pas, "Using OpenMP",
/// 2007, chapter 4.
template <typename Work>
void parallel_parts(std::size_t count, const Work& work) {
    const auto threads = static_cast<std::size_t>(omp_get_max_threads());
    if (threads == 1 || count < 2) return work(std::size_t{0}, count);
#pragma omp parallel num_threads(static_cast <int>(std::min(threads, count)))
    {
        const auto part = static_cast<std::size_t>(omp_get_thread_num());
        const auto parts = static_cast<std::size_t>(omp_get_num_threads());
        work(count * part / parts, count * (part + 1) / parts);
    }
}

}  // namespace dp::core
