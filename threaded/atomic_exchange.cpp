#include "threaded/atomic_exchange.hpp"

namespace dp::threaded {

void AtomicExchange::add(core::Range range) {
    const float* const from = gradients().data() + range.offset;
    float* const sum = shared_sum().data() + range.offset;
    for (std::size_t i = 0; i < range.size; ++i) {
#pragma omp atomic
        sum[i] += from[i];
    }
}

}  // namespace dp::threaded
