#include "multiproc/shared_direct_exchange.hpp"

#include <algorithm>

#include "core/exchange/sum_chunk.hpp"
#include "core/measure/trace.hpp"

namespace dp::multiproc {

using core::Range;

namespace {

// A sum is copied to the other blocks while all their tiles are still near: at N = 2 all of them in
// L1. Larger tiles have left it, smaller ones start the prefetchers more often.
constexpr std::size_t kTileFloats = 2048;

}  // namespace

SharedDirectExchange::SharedDirectExchange(ExchangeSetup setup)
    : SegmentExchange(std::move(setup), kTraits) {
    for (std::size_t r = 0; r < world_size(); ++r) {
        blocks_.push_back(segment().gradients(r).data());
    }
}

bool SharedDirectExchange::all_include(core::SharedCounter RankCounters::*counter,
                                       std::size_t bucket) const {
    for (std::size_t r = 0; r < world_size(); ++r) {
        if (!includes((segment().counters(r).*counter).load(), bucket)) return false;
    }
    return true;
}

bool SharedDirectExchange::complete(std::size_t count) const {
    return bucket() >= count && all_include(&RankCounters::done, count - 1);
}

bool SharedDirectExchange::advance() {
    if (bucket() >= handed() || !all_include(&RankCounters::handed, bucket())) return false;
    sum_and_spread();
    end_bucket();
    segment().counters(rank()).done.publish(buckets_before() +
                                            static_cast<std::uint32_t>(bucket()));
    return true;
}

void SharedDirectExchange::await(std::size_t count) {
    const bool summed = bucket() >= count;
    const auto counter = summed ? &RankCounters::done : &RankCounters::handed;
    const std::size_t awaited = summed ? count - 1 : bucket();
    for (std::size_t r = 0; r < world_size(); ++r) {
        const double waited =
            (segment().counters(r).*counter)
                .wait([&](std::uint32_t value) { return includes(value, awaited); }, limits());
        count_wait(waited, summed ? "sum" : "hand-over", r, awaited);
    }
}

void SharedDirectExchange::sum_and_spread() {
    const Range chunk = core::chunk_of(buckets()[bucket()], world_size(), rank());
    const std::size_t sent = 2 * (world_size() - 1) * chunk.size;
    const core::TraceSpan span(
        trace(), "sum",
        {.kind = core::TraceKind::kSum, .bucket = bucket(), .bytes = sent * sizeof(float)});
    for (std::size_t done = 0; done < chunk.size; done += kTileFloats) {
        const Range tile{chunk.offset + done, std::min(kTileFloats, chunk.size - done)};
        core::sum_chunk(blocks_, rank(), tile, blocks_[rank()]);
        const float* const sum = blocks_[rank()] + tile.offset;
        for (std::size_t k = 1; k < world_size(); ++k) {
            std::copy_n(sum, tile.size, blocks_[(rank() + k) % world_size()] + tile.offset);
        }
    }
    count_sent(sent);
}

}  // namespace dp::multiproc
