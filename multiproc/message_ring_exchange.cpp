#include "multiproc/message_ring_exchange.hpp"

#include <algorithm>

#include "core/measure/trace.hpp"

namespace dp::multiproc {

using core::Range;

namespace {

constexpr std::size_t kSegmentFloats = kSlotBytes / sizeof(float);
// Half the slots: the other half is slack between neighbours.
constexpr std::size_t kGroup = kSlots / 2;
static_assert(kGroup < kSlots);

}  // namespace

MessageRingExchange::MessageRingExchange(ExchangeSetup setup) : SegmentExchange(std::move(setup)) {
    for (const Range& bucket : buckets()) {
        const std::size_t longest = core::chunk_of(bucket, world_size(), 0).size;
        segments_.push_back(
            std::max<std::size_t>(1, (longest + kSegmentFloats - 1) / kSegmentFloats));
    }
}

bool MessageRingExchange::advance() {
    if (world_size() == 1 || bucket() >= handed()) return false;
    if (receives() && !from_left().has_segment()) return false;
    if (sends() && !to_right().has_room()) return false;
    do_segment();
    go_on();
    return true;
}

void MessageRingExchange::await(std::size_t /*count*/) {
    if (receives()) {
        count_wait(from_left().wait_for_segment(limits()), "chunk", rank_at(1), bucket());
    }
    if (sends()) {
        const std::size_t right = rank_at(world_size() - 1);
        count_wait(to_right().wait_for_room(limits()), "free slot", right, bucket());
    }
}

std::span<float> MessageRingExchange::own_segment() const {
    const std::size_t chunk = rank_at(step_ < world_size() ? step_ : step_ - world_size());
    const Range range = core::chunk_of(buckets()[bucket()], world_size(), chunk);
    const std::size_t begin = std::min(segment_ * kSegmentFloats, range.size);
    return gradients().subspan(range.offset + begin, std::min(kSegmentFloats, range.size - begin));
}

void MessageRingExchange::do_segment() {
    const std::span<float> segment = own_segment();
    const std::size_t size = segment.size();
    float* __restrict own = segment.data();
    const auto* __restrict in = reinterpret_cast<const float*>(from_left().slot_to_read().data());
    auto* __restrict out = reinterpret_cast<float*>(to_right().slot_to_write().data());
    const std::size_t last = world_size() - 1;
    core::TraceSpan span(trace(), step_ <= last ? "reduce-scatter" : "all-gather",
                         {.kind = core::TraceKind::kTransfer,
                          .bucket = bucket(),
                          .peer = receives() ? rank_at(1) : core::kNone,
                          .ring_step = step_,
                          .group = group_ / kGroup,
                          .bytes = sends() ? segment.size_bytes() : 0});
    if (step_ == 0) {
        std::copy_n(own, size, out);
    } else if (step_ < last) {
        for (std::size_t i = 0; i < size; ++i) out[i] = in[i] + own[i];
    } else if (step_ == last) {
        for (std::size_t i = 0; i < size; ++i) out[i] = own[i] = in[i] + own[i];
    } else if (sends()) {
        for (std::size_t i = 0; i < size; ++i) out[i] = own[i] = in[i];
    } else {
        std::copy_n(in, size, own);
    }
    if (sends()) span.tell();
    if (receives()) from_left().pop();
    if (sends()) {
        to_right().push();
        count_sent(size);
    }
}

void MessageRingExchange::go_on() {
    const std::size_t group_end = std::min(group_ + kGroup, segments_[bucket()]);
    if (++segment_ < group_end) return;
    if (++step_ <= 2 * (world_size() - 1)) {
        segment_ = group_;
        return;
    }
    step_ = 0;
    group_ = segment_ = group_end;
    if (group_ < segments_[bucket()]) return;
    group_ = segment_ = 0;
    end_bucket();
}

}  // namespace dp::multiproc
