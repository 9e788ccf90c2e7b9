#include "multiproc/segment_exchange.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"

namespace dp::multiproc {

SegmentExchange::SegmentExchange(ExchangeSetup setup)
    : PiecewiseExchange(setup.rank, setup.segment.world_size(), std::move(setup.buckets),
                        setup.segment.counters(setup.rank).handed,
                        {&setup.segment.failed(), setup.timeout_seconds,
                         &setup.segment.position(setup.rank).waiting}),
      segment_(setup.segment),
      to_right_(segment_.channel_from(rank())),
      from_left_(segment_.channel_from(rank_at(1))),
      gradients_(segment_.gradients(rank()).first(setup.size)),
      all_{0, setup.size} {
    std::ranges::fill(gradients_, 0.F);
}

void SegmentExchange::broadcast(std::span<float> values) {
    const auto bytes = std::as_writable_bytes(values);
    const bool receives = rank() != 0;
    const bool sends = rank() + 1 < world_size();
    for (std::size_t at = 0; at < bytes.size(); at += kSlotBytes) {
        const auto part = bytes.subspan(at, std::min(kSlotBytes, bytes.size() - at));
        if (receives) from_left_.receive(part, limits());
        if (sends) to_right_.send(part, limits());
    }
}

void SegmentExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(mine.size(), <=, core::kMaxGatherBytes);
    DP_CHECK(all.size(), ==, mine.size() * world_size());
    const auto slot = [&](std::size_t rank) {
        return all.subspan(rank * mine.size(), mine.size());
    };
    std::ranges::copy(mine, slot(rank()).begin());
    // A channel holds at least one segment, so that all may send before they receive.
    for (std::size_t s = 0; s + 1 < world_size(); ++s) {
        to_right_.send(slot(rank_at(s)), limits());
        from_left_.receive(slot(rank_at(s + 1)), limits());
    }
}

}  // namespace dp::multiproc
