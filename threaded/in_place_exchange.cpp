#include "threaded/in_place_exchange.hpp"

#include "core/exchange/sum_chunk.hpp"
#include "core/measure/trace.hpp"

namespace dp::threaded {

bool InPlaceExchange::advance() {
    if (bucket() >= handed() || !all_have_handed(bucket())) return false;
    const core::Range own = chunk(bucket());
    const std::size_t read = (world_size() - 1) * own.size;
    const core::TraceSpan span(
        trace(), "sum",
        {.kind = core::TraceKind::kSum, .bucket = bucket(), .bytes = read * sizeof(float)});
    sum(own);
    count_sent(read);
    end_bucket();
    return true;
}

void InPlaceExchange::sum(core::Range own) {
    core::sum_chunk(blocks(), rank(), own, gradients().data());
}

}  // namespace dp::threaded
