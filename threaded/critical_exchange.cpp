#include "threaded/critical_exchange.hpp"

#include <chrono>

namespace dp::threaded {

void CriticalExchange::await(std::size_t count) {
    if (bucket() == count) return wait_until_all_have_done(count - 1);
    wait_for_all(count - 1);
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
#pragma omp critical(dp_shared_sum)
    {
        count_wait(std::chrono::duration<double>(Clock::now() - start).count());
        while (bucket() < count) pass_bucket();
    }
}

}  // namespace dp::threaded
