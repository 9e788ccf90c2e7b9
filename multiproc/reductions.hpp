// The ways to sum gradients between processes, a row each. All add in the same order, so that the
// choice changes time and no bit.
#pragma once

#include <span>

#include "core/exchange/reduction_table.hpp"
#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

using Reduction = core::Reduction<SegmentExchange, ExchangeSetup>;

/// The first is the default: the fastest with a core per rank as well as with fewer. (4.6 MB on two
/// cores that share a cache, microseconds: two ranks direct 74, ring 102, slot-ring 180; four ranks
/// direct 220 to 240, ring 380 to 430, slot-ring 750 to 1,250. On two that do not share it: two
/// ranks direct 145 to 170, ring 1,050, slot-ring 2,650; four ranks direct 360, ring 3,200,
/// slot-ring 7,400.)
std::span<const Reduction> reductions();

}  // namespace dp::multiproc
