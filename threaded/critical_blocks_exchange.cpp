#include "threaded/critical_blocks_exchange.hpp"

#include <chrono>
#include <mutex>

namespace dp::threaded {

bool CriticalBlocksExchange::advance() {
    if (bucket() >= handed() || !all_have_handed(bucket())) return false;
    const std::unique_lock lock(lock_of(bucket()), std::try_to_lock);
    if (!lock) return false;
    pass_bucket();
    return true;
}

void CriticalBlocksExchange::await(std::size_t count) {
    if (bucket() == count) return wait_until_all_have_done(count - 1);
    wait_for_all(bucket());
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::lock_guard lock(lock_of(bucket()));
    count_wait(std::chrono::duration<double>(Clock::now() - start).count());
    pass_bucket();
}

}  // namespace dp::threaded
