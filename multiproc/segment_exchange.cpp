#include "multiproc/segment_exchange.hpp"

#include <algorithm>
#include <chrono>

#include "core/base/check.hpp"
#include "core/measure/trace.hpp"

namespace dp::multiproc {

SegmentExchange::SegmentExchange(ExchangeSetup setup)
    : segment_(setup.segment),
      to_right_(segment_.channel_from(setup.rank)),
      from_left_(
          segment_.channel_from((setup.rank + segment_.world_size() - 1) % segment_.world_size())),
      rank_(setup.rank),
      world_size_(segment_.world_size()),
      buckets_(std::move(setup.buckets)),
      gradients_(segment_.gradients(rank_).first(setup.size)),
      all_{0, setup.size},
      limits_{&segment_.failed(), setup.timeout_seconds, &segment_.position(rank_).waiting} {
    std::ranges::fill(gradients_, 0.F);
}

void SegmentExchange::hand_over(std::size_t count) {
    if (count == handed_) return;
    DP_CHECK(count, >, handed_);
    const core::TraceSpan span(
        trace(), "hand over",
        {.kind = core::TraceKind::kHandOver, .bucket = handed_, .count = count - handed_});
    handed_ = count;
    segment_.counters(rank_).handed.publish(before_ + static_cast<std::uint32_t>(count));
}

void SegmentExchange::progress() {
    const auto start = std::chrono::steady_clock::now();
    if (!advance()) return;
    while (advance()) {
    }
    stats_.hidden_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void SegmentExchange::finish() {
    DP_CHECK(handed_, ==, buckets_.size());
    while (!complete()) {
        if (!advance()) await();
    }
    end_step();
    before_ += static_cast<std::uint32_t>(buckets_.size());
    handed_ = 0;
    ++stats_.calls;
}

void SegmentExchange::count_wait(double seconds, std::string_view what, std::size_t peer,
                                 std::size_t bucket) {
    stats_.wait_seconds += seconds;
    core::record_wait(trace(), seconds, what, peer, bucket);
}

void SegmentExchange::broadcast(std::span<float> values) {
    const auto bytes = std::as_writable_bytes(values);
    const bool receives = rank_ != 0;
    const bool sends = rank_ + 1 < world_size_;
    for (std::size_t at = 0; at < bytes.size(); at += kSlotBytes) {
        const auto part = bytes.subspan(at, std::min(kSlotBytes, bytes.size() - at));
        if (receives) from_left_.receive(part, limits_);
        if (sends) to_right_.send(part, limits_);
    }
}

void SegmentExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(mine.size(), <=, core::kMaxGatherBytes);
    DP_CHECK(all.size(), ==, mine.size() * world_size_);
    const auto slot = [&](std::size_t rank) {
        return all.subspan(rank * mine.size(), mine.size());
    };
    std::ranges::copy(mine, slot(rank_).begin());
    // A channel holds at least one segment, so that all may send before they receive.
    for (std::size_t s = 0; s + 1 < world_size_; ++s) {
        to_right_.send(slot(rank_at(s)), limits_);
        from_left_.receive(slot(rank_at(s + 1)), limits_);
    }
}

}  // namespace dp::multiproc
