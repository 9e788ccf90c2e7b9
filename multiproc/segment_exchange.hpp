// What the reductions between processes have in common that read other ranks' gradients where they
// lie: the rank's gradients and counters in the shared segment.
#pragma once

#include <cstddef>
#include <vector>

#include "core/exchange/channel_exchange.hpp"
#include "multiproc/shared_segment.hpp"

namespace dp::multiproc {

/// What every reduction is made from. `segment` outlives the exchange and is planned for its
/// reduction, with room for `size` floats per rank, of which each rank's block is the first `size`.
struct ExchangeSetup {
    SharedSegment& segment;
    std::size_t rank = 0;
    std::vector<core::Range> buckets;
    std::size_t size = 0;
    double timeout_seconds = 300.0;
    core::UpdateKind update = core::UpdateKind::kReplicated;
    core::WaitKind wait = core::WaitKind::kAuto;
};

/// What an exchange over channels is made from that knows no segment.
core::ChannelSetup to_channel_setup(ExchangeSetup setup);

class SegmentExchange : public core::ChannelExchange {
protected:
    SegmentExchange(ExchangeSetup setup, const core::ExchangeTraits& traits);

    [[nodiscard]] SharedSegment& segment() const { return segment_; }

private:
    SharedSegment& segment_;
};

}  // namespace dp::multiproc
