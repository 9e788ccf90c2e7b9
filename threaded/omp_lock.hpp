// OpenMP's lock, released by its owner.
#pragma once

#include <omp.h>

namespace dp::threaded {

class OmpLock {
public:
    OmpLock() { omp_init_lock(&lock_); }
    ~OmpLock() { omp_destroy_lock(&lock_); }
    OmpLock(const OmpLock&) = delete;
    OmpLock& operator=(const OmpLock&) = delete;

    // As std::unique_lock wants them.
    void lock() { omp_set_lock(&lock_); }
    [[nodiscard]] bool try_lock() { return omp_test_lock(&lock_) != 0; }
    void unlock() { omp_unset_lock(&lock_); }

private:
    omp_lock_t lock_;
};

}  // namespace dp::threaded
