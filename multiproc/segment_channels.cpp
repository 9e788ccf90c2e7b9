#include "multiproc/segment_channels.hpp"

#include "core/base/check.hpp"

namespace dp::multiproc {

SegmentChannels::SegmentChannels(const SharedSegment& segment, std::size_t rank)
    : rank_(rank), shape_(segment.channel_shape()) {
    for (std::size_t peer = 0; peer < segment.world_size(); ++peer) {
        with_.emplace_back(segment.channel(rank, peer), segment.channel(peer, rank));
    }
}

core::Channel& SegmentChannels::with(std::size_t peer) {
    DP_CHECK(with_[peer].leads_anywhere(), ==, true);
    return with_[peer];
}

}  // namespace dp::multiproc
