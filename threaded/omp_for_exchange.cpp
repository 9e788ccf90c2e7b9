#include "threaded/omp_for_exchange.hpp"

#include "core/exchange/sum_chunk.hpp"
#include "core/measure/trace.hpp"

namespace dp::threaded {

void OmpForExchange::await(std::size_t count) {
    wait_for_all(count - 1);
    for (; bucket() < count; end_bucket()) sum(buckets()[bucket()]);
}

void OmpForExchange::sum(core::Range range) {
    const std::size_t ranks = world_size();
    const std::size_t read = (ranks - 1) * chunk(bucket()).size;
    const core::TraceSpan span(
        trace(), "sum",
        {.kind = core::TraceKind::kSum, .bucket = bucket(), .bytes = read * sizeof(float)});
    // One iteration each: thread r of the region is rank r, and gets chunk r.
#pragma omp for schedule(static, 1)
    for (std::size_t c = 0; c < ranks; ++c) {
        core::sum_chunk(blocks(), c, core::chunk_of(range, ranks, c), blocks()[c]);
    }
    count_sent(read);
}

}  // namespace dp::threaded
