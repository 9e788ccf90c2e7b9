#include "multiproc/ring_channel.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace dp::multiproc {

double RingChannel::send(std::span<const std::byte> segment, const core::WaitLimits& limits) {
    DP_CHECK(segment.size(), <=, kSlotBytes);
    const double waited = wait_for_room(limits);
    std::ranges::copy(segment, slot_to_write().begin());
    push();
    return waited;
}

double RingChannel::receive(std::span<std::byte> segment, const core::WaitLimits& limits) {
    DP_CHECK(segment.size(), <=, kSlotBytes);
    const double waited = wait_for_segment(limits);
    std::ranges::copy(slot_to_read().first(segment.size()), segment.begin());
    pop();
    return waited;
}

}  // namespace dp::multiproc
