#include "threaded/shared_sum_exchange.hpp"

#include <algorithm>

#include "core/measure/trace.hpp"

namespace dp::threaded {

void SharedSumExchange::begin_step() {
    for (const core::Range& own : update_ranges()) {
        std::fill_n(shared_sum().data() + own.offset, own.size, 0.F);
    }
}

void SharedSumExchange::add(core::Range range) {
    const float* __restrict from = gradients().data() + range.offset;
    float* __restrict sum = shared_sum().data() + range.offset;
    for (std::size_t i = 0; i < range.size; ++i) sum[i] += from[i];
}

void SharedSumExchange::add_bucket() {
    const core::Range range = buckets()[bucket()];
    const core::TraceSpan span(
        trace(), "add",
        {.kind = core::TraceKind::kSum, .bucket = bucket(), .bytes = range.size * sizeof(float)});
    add(range);
    count_sent(range.size);
}

void SharedSumExchange::pass_bucket() {
    add_bucket();
    tell_done();
    end_bucket();
}

bool SharedSumExchange::advance() {
    if (bucket() >= handed() || !all_have_handed(bucket())) return false;
    pass_bucket();
    return true;
}

void SharedSumExchange::await(std::size_t count) {
    if (bucket() < count) {
        wait_for_all(bucket());
    } else {
        wait_until_all_have_done(count - 1);
    }
}

void SharedSumExchange::wait_until_all_have_done(std::size_t bucket) {
    for (std::size_t r = 0; r < world_size(); ++r) wait_until_done(r, bucket);
}

bool SharedSumExchange::complete(std::size_t count) const {
    if (bucket() < count) return false;
    for (std::size_t r = 0; r < world_size(); ++r) {
        if (!has_done(r, count - 1)) return false;
    }
    return true;
}

}  // namespace dp::threaded
