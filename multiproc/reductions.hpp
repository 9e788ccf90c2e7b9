// The ways to sum gradients between processes, a row each: those that pass messages, and those that
// read other ranks' gradients where they lie.
#pragma once

#include <memory>
#include <span>

#include "core/exchange/message_reductions.hpp"
#include "core/exchange/reduction_table.hpp"
#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

struct Reduction {
    core::ExchangeTraits traits;
    /// What core's table says of it; null where it lies in the segment.
    const core::MessageReduction* messages = nullptr;
    std::unique_ptr<core::ChannelExchange> (*make_in_segment)(ExchangeSetup setup) = nullptr;

    /// One rank's end.
    [[nodiscard]] std::unique_ptr<core::ChannelExchange> make(ExchangeSetup setup) const;
    /// What its segment needs for `world_size` ranks with up to `floats` gradients each.
    [[nodiscard]] SegmentPlan plan(std::size_t world_size, std::size_t floats) const;
};

/// The first is the default: the one that passes messages around a ring, as processes without
/// shared memory would. What that costs (4.6 MB on two cores that share a cache, microseconds): two
/// ranks message-ring 180, shared-ring 102, shared-direct 74; four ranks message-ring 750 to 1,250,
/// shared-ring 380 to 430, shared-direct 220 to 240. On two that do not share it: two ranks
/// message-ring 2,650, shared-ring 1,050, shared-direct 145 to 170; four ranks 7,400, 3,200 and
/// 360.
std::span<const Reduction> reductions();

}  // namespace dp::multiproc
