#include "multiproc/mpi/library_exchange.hpp"

#include <utility>

#include "core/measure/trace.hpp"

namespace dp::multiproc {

LibraryExchange::LibraryExchange(core::ChannelSetup setup, MpiWorld& world)
    : ChannelExchange(std::move(setup), kTraits),
      world_(world),
      ended_before_(world.ended_sums()) {}

void LibraryExchange::begin_step() {
    ended_before_ += begun_;
    begun_ = 0;
}

bool LibraryExchange::advance() {
    if (begun_ < handed()) {
        const core::Range bucket = buckets()[begun_];
        const core::TraceSpan span(trace(), "begin sum",
                                   {.kind = core::TraceKind::kSum, .bucket = begun_, .bytes = 0});
        world_.begin_sum(gradients().subspan(bucket.offset, bucket.size));
        ++begun_;
        return true;
    }
    if (bucket() == begun_ || world_.ended_sums() <= ended_before_ + bucket()) return false;
    end_sum();
    return true;
}

void LibraryExchange::await(std::size_t /*count*/) {
    count_wait(world_.wait_for_sums(ended_before_ + bucket() + 1, limits()));
}

void LibraryExchange::end_sum() {
    const core::Range ended = buckets()[bucket()];
    // As a ring would; what the library sends it does not tell.
    count_sent(static_cast<std::size_t>(static_cast<double>(ended.size) *
                                        kTraits.sent_per_byte(static_cast<double>(world_size()))));
    end_bucket();
}

}  // namespace dp::multiproc
