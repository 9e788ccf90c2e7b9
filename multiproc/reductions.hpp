// The ways to sum gradients between processes, a row each. All add in the same order, so that the
// choice changes time and no bit.
#pragma once

#include <span>

#include "core/exchange/reduction_table.hpp"
#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

using Reduction = core::Reduction<SegmentExchange, ExchangeSetup>;

/// The first is the default: the one that passes messages, as processes without shared memory
/// would. What that costs (4.6 MB on two cores that share a cache, microseconds): two ranks
/// message-ring 180, shared-ring 102, shared-direct 74; four ranks message-ring 750 to 1,250,
/// shared-ring 380 to 430, shared-direct 220 to 240. On two that do not share it: two ranks
/// message-ring 2,650, shared-ring 1,050, shared-direct 145 to 170; four ranks 7,400, 3,200 and
/// 360.
std::span<const Reduction> reductions();

}  // namespace dp::multiproc
