#include "threaded/master_exchange.hpp"

#include "core/exchange/sum_chunk.hpp"
#include "core/measure/trace.hpp"

namespace dp::threaded {

MasterExchange::MasterExchange(TeamSetup setup) : TeamExchange(setup) {
    if (rank() == 0) updated_.push_back({0, gradients().size()});
}

bool MasterExchange::advance() {
    if (rank() != 0 || bucket() >= handed() || !all_have_handed(bucket())) return false;
    const core::Range range = buckets()[bucket()];
    const std::size_t read = (world_size() - 1) * range.size;
    const core::TraceSpan span(
        trace(), "sum",
        {.kind = core::TraceKind::kSum, .bucket = bucket(), .bytes = read * sizeof(float)});
    for (std::size_t c = 0; c < world_size(); ++c) {
        core::sum_chunk(blocks(), c, core::chunk_of(range, world_size(), c), gradients().data());
    }
    count_sent(read);
    tell_done();
    end_bucket();
    return true;
}

void MasterExchange::await(std::size_t count) {
    if (rank() == 0) {
        wait_for_all(bucket());
    } else {
        wait_until_done(0, count - 1);
    }
}

}  // namespace dp::threaded
