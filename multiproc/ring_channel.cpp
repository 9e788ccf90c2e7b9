#include "multiproc/ring_channel.hpp"

#include <bit>

#include "core/base/check.hpp"

namespace dp::multiproc {

RingChannel::RingChannel(const ChannelShape& shape, std::uint32_t count) : shape_(shape) {
    DP_CHECK(shape.slot_bytes % core::kAlignmentBytes, ==, 0U);
    // The counters wrap at 2^32; slot numbers stay continuous only if that is a multiple of the
    // depth.
    DP_CHECK(std::has_single_bit(shape.slots) && shape.slots > 1, ==, true);
    written_.publish(count);
    read_.publish(count);
}

}  // namespace dp::multiproc
