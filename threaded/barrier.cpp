#include "threaded/barrier.hpp"

namespace dp::threaded {

void Barrier::arrive_and_wait(const core::WaitLimits& limits) {
    // Read before arriving: the generation cannot end without this thread.
    const std::uint32_t generation = generation_.load();
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
        arrived_.store(
            0, std::memory_order_relaxed);  // ordered by publish(), before anyone arrives again
        generation_.publish(generation + 1);
        return;
    }
    generation_.wait([generation](std::uint32_t now) { return now != generation; }, limits);
}

}  // namespace dp::threaded
