#include "threaded/omp_reduction_exchange.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.hpp"

namespace dp::threaded {
namespace {

/// Bytes of the calling thread's stack, of which the first thread's grows up to its limit.
std::size_t stack_bytes() {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    void* lowest = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    return size;
}

std::size_t largest_bytes(std::span<const core::Range> buckets) {
    std::size_t largest = 0;
    for (const core::Range& bucket : buckets) largest = std::max(largest, bucket.size);
    return largest * sizeof(float);
}

/// A function of its own: the copies lie on its stack until it returns.
[[gnu::noinline]] void add_all(std::span<float* const> blocks, core::Range range, float* sum) {
    const std::size_t ranks = blocks.size();
    // One iteration each: thread r of the region is rank r.
#pragma omp for schedule(static, 1) reduction(+ : sum[:range.size])
    for (std::size_t r = 0; r < ranks; ++r) {
        const float* const from = blocks[r] + range.offset;
        for (std::size_t i = 0; i < range.size; ++i) sum[i] += from[i];
    }
}

}  // namespace

void check_stack(std::span<const core::Range> buckets, std::size_t rank) {
    const std::size_t copy = largest_bytes(buckets);
    const std::size_t needed_kib = (copy + kStackRestBytes + 1023) / 1024;
    const std::size_t given_kib = stack_bytes() / 1024;
    if (given_kib >= needed_kib) return;
    throw core::Error(core::ExitCode::kResources,
                      "{} puts a copy of the largest bucket, {} bytes, on every thread's stack and "
                      "needs stacks of {} KiB, but worker {} has one of {}: start again with "
                      "OMP_STACKSIZE={}K and after ulimit -s {}, or choose another reduction",
                      OmpReductionExchange::kTraits.name, copy, needed_kib, rank, given_kib,
                      needed_kib, needed_kib);
}

OmpReductionExchange::OmpReductionExchange(TeamSetup setup) : SharedSumExchange(setup) {
    check_stack(buckets(), rank());
}

void OmpReductionExchange::await(std::size_t count) {
    wait_for_all(count - 1);
    for (; bucket() < count; end_bucket()) add_bucket();
}

void OmpReductionExchange::add(core::Range range) {
    if (range.size == 0) return;  // an array section must have an element
    add_all(blocks(), range, shared_sum().data() + range.offset);
}

}  // namespace dp::threaded
