#include "multiproc/ring_exchange.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace dp::multiproc {

using core::Range;

RingExchange::RingExchange(SharedSegment& segment, std::size_t rank, std::vector<Range> buckets,
                           std::span<float> gradients, double timeout_seconds)
    : to_right_(segment.channel_from(rank)),
      from_left_(segment.channel_from((rank + segment.world_size() - 1) % segment.world_size())),
      rank_(rank),
      world_size_(segment.world_size()),
      buckets_(std::move(buckets)),
      gradients_(gradients),
      all_{0, gradients.size()},
      limits_{&segment.failed(), timeout_seconds} {}

template <typename Use>
void RingExchange::exchange(std::span<const std::byte> out, std::size_t in_bytes, const Use& use) {
    std::size_t sent = 0;
    std::size_t received = 0;
    while (sent < out.size() || received < in_bytes) {
        if (sent < out.size()) {
            const std::size_t size = std::min(kSlotBytes, out.size() - sent);
            waited_seconds_ += to_right_.send(out.subspan(sent, size), limits_);
            sent += size;
        }
        if (received < in_bytes) {
            const std::size_t size = std::min(kSlotBytes, in_bytes - received);
            waited_seconds_ += from_left_.receive(
                size, limits_, [&](std::span<const std::byte> bytes) { use(bytes, received); });
            received += size;
        }
    }
    sent_bytes_ += out.size();
}

void RingExchange::reduce() {
    const double waited_before = waited_seconds_;
    const std::uint64_t sent_before = sent_bytes_;
    for (const Range& bucket : buckets_) reduce_bucket(bucket);
    ++stats_.calls;
    stats_.wait_seconds += waited_seconds_ - waited_before;
    stats_.sent_bytes += sent_bytes_ - sent_before;
}

void RingExchange::reduce_bucket(Range bucket) {
    const auto chunk = [&](std::size_t index) {
        const Range range = core::chunk_of(bucket, world_size_, index);
        return gradients_.subspan(range.offset, range.size);
    };
    for (std::size_t s = 0; s + 1 < world_size_; ++s) {
        const auto out = chunk(rank_at(s));
        const auto in = chunk(rank_at(s + 1));
        const auto add = [&](std::span<const std::byte> bytes, std::size_t offset) {
            const auto* __restrict partial = reinterpret_cast<const float*>(bytes.data());
            float* __restrict own = in.data() + offset / sizeof(float);
            const std::size_t count = bytes.size() / sizeof(float);
            for (std::size_t i = 0; i < count; ++i) own[i] += partial[i];
        };
        exchange(std::as_bytes(out), in.size_bytes(), add);
    }
    for (std::size_t s = 0; s + 1 < world_size_; ++s) {
        const auto out = chunk(rank_at(s + world_size_ - 1));  // chunk r+1-s
        const auto in = chunk(rank_at(s));
        const auto keep = [&](std::span<const std::byte> bytes, std::size_t offset) {
            std::ranges::copy(bytes, reinterpret_cast<std::byte*>(in.data()) + offset);
        };
        exchange(std::as_bytes(out), in.size_bytes(), keep);
    }
}

void RingExchange::broadcast(std::span<float> values) {
    if (world_size_ == 1) return;
    const auto bytes = std::as_writable_bytes(values);
    const bool sends = rank_ + 1 < world_size_;
    for (std::size_t at = 0; at < bytes.size(); at += kSlotBytes) {
        const auto part = bytes.subspan(at, std::min(kSlotBytes, bytes.size() - at));
        if (rank_ != 0) {
            waited_seconds_ += from_left_.receive(
                part.size(), limits_,
                [&](std::span<const std::byte> got) { std::ranges::copy(got, part.begin()); });
        }
        if (sends) {
            waited_seconds_ += to_right_.send(part, limits_);
            sent_bytes_ += part.size();
        }
    }
}

void RingExchange::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    DP_CHECK(mine.size(), <=, core::kMaxGatherBytes);
    DP_CHECK(all.size(), ==, mine.size() * world_size_);
    const auto slot = [&](std::size_t rank) {
        return all.subspan(rank * mine.size(), mine.size());
    };
    std::ranges::copy(mine, slot(rank_).begin());
    for (std::size_t s = 0; s + 1 < world_size_; ++s) {
        const auto in = slot(rank_at(s + 1));
        exchange(slot(rank_at(s)), in.size(),
                 [&](std::span<const std::byte> bytes, std::size_t at) {
                     std::ranges::copy(bytes, in.begin() + static_cast<std::ptrdiff_t>(at));
                 });
    }
}

}  // namespace dp::multiproc
