#include "core/exchange/message_ring_exchange.hpp"

#include <algorithm>

#include "core/measure/trace.hpp"

namespace dp::core {

MessageRingExchange::MessageRingExchange(ChannelSetup setup)
    : ChannelExchange(std::move(setup), kTraits),
      // Half of what a channel holds: the other half is slack between neighbours.
      group_size_(channels().depth() / 2),
      steps_{0, sharded() ? world_size() - 1 : 2 * (world_size() - 1)},
      step_(steps_.first) {
    if (world_size() > 1) {
        to_right_ = &channels().with(right());
        from_left_ = &channels().with(left());
    }
    std::vector<Range> own;
    for (const Range& bucket : buckets()) {
        const std::size_t longest = chunk_of(bucket, world_size(), 0).size;
        chunk_segments_.push_back(std::max<std::size_t>(1, segments_of(longest)));
        own.push_back(chunk_of(bucket, world_size(), right()));
    }
    if (sharded()) set_update_ranges(std::move(own));
}

bool MessageRingExchange::can_move() const {
    return (!receives() || from_left_->has_segment()) && (!sends() || to_right_->has_room());
}

bool MessageRingExchange::advance() {
    if (world_size() == 1 || bucket() >= handed() || !can_move()) return false;
    do_segment(gradients(), bucket());
    if (go_on(bucket())) end_bucket();
    return true;
}

void MessageRingExchange::await(std::size_t /*count*/) {
    if (receives()) {
        count_wait(from_left_->wait_for_segment(limits()), "chunk", left(), bucket());
    }
    if (sends()) {
        count_wait(to_right_->wait_for_room(limits()), "free slot", right(), bucket());
    }
}

void MessageRingExchange::publish(std::span<float> parameters) {
    if (!sharded() || world_size() == 1) return;
    const Steps reduce_scatter = steps_;
    steps_ = {world_size() - 1, 2 * (world_size() - 1)};
    for (std::size_t b = 0; b < buckets().size(); ++b) {
        step_ = steps_.first;
        do {
            if (receives()) {
                record_wait(trace(), from_left_->wait_for_segment(limits()), "chunk", left(), b);
            }
            if (sends()) {
                record_wait(trace(), to_right_->wait_for_room(limits()), "free slot", right(), b);
            }
            do_segment(parameters, b);
        } while (!go_on(b));
    }
    flush();
    steps_ = reduce_scatter;
    step_ = steps_.first;
}

std::span<float> MessageRingExchange::own_segment(std::span<float> block,
                                                  std::size_t bucket) const {
    const std::size_t chunk = rank_at(step_ < world_size() ? step_ : step_ - world_size());
    const Range range = segment_of(chunk_of(buckets()[bucket], world_size(), chunk), segment_);
    return block.subspan(range.offset, range.size);
}

void MessageRingExchange::do_segment(std::span<float> block, std::size_t bucket) {
    const std::span<float> segment = own_segment(block, bucket);
    const std::size_t size = segment.size();
    float* __restrict own = segment.data();
    const float* __restrict in =
        receives() ? reinterpret_cast<const float*>(from_left_->segment().data()) : nullptr;
    float* __restrict out = sends() ? reinterpret_cast<float*>(to_right_->slot().data()) : nullptr;
    const std::size_t last = world_size() - 1;
    TraceSpan span(trace(), step_ <= last ? "reduce-scatter" : "all-gather",
                   {.kind = TraceKind::kTransfer,
                    .bucket = bucket,
                    .peer = receives() ? left() : kNone,
                    .ring_step = step_,
                    .group = group_ / group_size_,
                    .bytes = sends() ? segment.size_bytes() : 0});
    if (!receives()) {
        std::copy_n(own, size, out);
    } else if (step_ < last) {
        for (std::size_t i = 0; i < size; ++i) out[i] = in[i] + own[i];
    } else if (step_ == last && sends()) {
        for (std::size_t i = 0; i < size; ++i) out[i] = own[i] = in[i] + own[i];
    } else if (step_ == last) {
        for (std::size_t i = 0; i < size; ++i) own[i] = in[i] + own[i];
    } else if (sends()) {
        for (std::size_t i = 0; i < size; ++i) out[i] = own[i] = in[i];
    } else {
        std::copy_n(in, size, own);
    }
    if (sends()) span.tell();
    if (receives()) from_left_->pop();
    if (sends()) {
        to_right_->push(segment.size_bytes());
        count_sent(size);
    }
}

bool MessageRingExchange::go_on(std::size_t bucket) {
    const std::size_t group_end = std::min(group_ + group_size_, chunk_segments_[bucket]);
    if (++segment_ < group_end) return false;
    segment_ = group_;
    if (++step_ <= steps_.last) return false;
    step_ = steps_.first;
    group_ = segment_ = group_end;
    if (group_ < chunk_segments_[bucket]) return false;
    group_ = segment_ = 0;
    return true;
}

}  // namespace dp::core
