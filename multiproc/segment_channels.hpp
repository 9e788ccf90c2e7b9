// A rank's channels between processes: two one-way rings of slots in the shared segment, towards
// each peer and from it. Sending is copying: there is nothing to move on.
#pragma once

#include <vector>

#include "core/exchange/channel.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

class SegmentChannel final : public core::Channel {
public:
    SegmentChannel(RingChannel* out, RingChannel* in) : out_(out), in_(in) {}

    bool has_room() override { return out_->has_room(); }
    double wait_for_room(const core::WaitLimits& limits) override {
        return out_->wait_for_room(limits);
    }
    std::span<std::byte> slot() override { return out_->slot_to_write(); }
    void push(std::size_t /*bytes*/) override { out_->push(); }

    bool has_segment() override { return in_->has_segment(); }
    double wait_for_segment(const core::WaitLimits& limits) override {
        return in_->wait_for_segment(limits);
    }
    std::span<const std::byte> segment() override { return in_->slot_to_read(); }
    void pop() override { in_->pop(); }

    [[nodiscard]] bool leads_anywhere() const { return out_ != nullptr || in_ != nullptr; }

private:
    RingChannel* out_ = nullptr;  // null where this rank only receives
    RingChannel* in_ = nullptr;   // null where it only sends
};

/// `segment` outlives it.
class SegmentChannels final : public core::Channels {
public:
    SegmentChannels(const SharedSegment& segment, std::size_t rank);

    std::size_t rank() const override { return rank_; }
    std::size_t world_size() const override { return with_.size(); }
    std::size_t segment_bytes() const override { return shape_.slot_bytes; }
    std::size_t depth() const override { return shape_.slots; }
    core::Channel& with(std::size_t peer) override;

private:
    const std::size_t rank_;
    const ChannelShape shape_;
    std::vector<SegmentChannel> with_;  // by peer
};

}  // namespace dp::multiproc
