#include "multiproc/ring_channel.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace dp::multiproc {

double RingChannel::send(std::span<const std::byte> segment, const core::WaitLimits& limits) {
    DP_CHECK(segment.size(), <=, kSlotBytes);
    const std::uint32_t at = written_.load();
    const double waited =
        read_.wait([at](std::uint32_t read) { return at - read < kSlots; }, limits);
    std::ranges::copy(segment, slots_[at % kSlots].begin());
    written_.publish(at + 1);
    return waited;
}

}  // namespace dp::multiproc
