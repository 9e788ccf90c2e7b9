#include "multiproc/segment_exchange.hpp"

#include <utility>

#include "core/base/check.hpp"
#include "multiproc/segment_channels.hpp"

namespace dp::multiproc {
namespace {

core::ChannelSetup with_gradients_in_segment(ExchangeSetup setup) {
    const std::span<float> room = setup.segment.gradients(setup.rank);
    DP_CHECK(setup.size, <=, room.size());
    core::SharedCounter& handed = setup.segment.counters(setup.rank).handed;
    core::ChannelSetup all = to_channel_setup(std::move(setup));
    all.shared_gradients = room.first(all.size);
    all.handed = &handed;
    return all;
}

}  // namespace

core::ChannelSetup to_channel_setup(ExchangeSetup setup) {
    return {.channels = std::make_unique<SegmentChannels>(setup.segment, setup.rank),
            .buckets = std::move(setup.buckets),
            .size = setup.size,
            .limits = {&setup.segment.failed(), setup.timeout_seconds,
                       &setup.segment.position(setup.rank).waiting, setup.wait},
            .update = setup.update};
}

SegmentExchange::SegmentExchange(ExchangeSetup setup, const core::ExchangeTraits& traits)
    : ChannelExchange(with_gradients_in_segment(setup), traits), segment_(setup.segment) {}

}  // namespace dp::multiproc
