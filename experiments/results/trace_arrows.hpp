// What of one rank's trace led to what of another's. No rank knows it alone; all their events
// together tell, because they have one clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "core/measure/trace.hpp"

namespace dp::experiments {

/// From an event of rank `from` to the event of rank `to` that used its result.
struct TraceArrow {
    std::size_t from = 0;
    std::int64_t from_ns = 0;  // within that event, before `to` could know of it
    std::size_t to = 0;
    std::int64_t to_ns = 0;  // the beginning of the event that used it
    std::string_view name;   // a literal
    std::size_t step = 0;
    std::size_t bucket = 0;
};

/// The arrows of a run, whose ranks' events are `ranks`:
///  - a ring's step: from the left neighbour's step before it for the same bucket, where there is
///    none from its hand-over of the bucket;
///  - a sum over all ranks: from the hand-over of its bucket that came last, unless it is its own.
/// An event whose cause was not recorded has none.
std::vector<TraceArrow> find_arrows(std::span<const core::WorkerTrace> ranks);

/// By step, the rank that came last to its barrier; only steps of which all ranks recorded theirs.
std::map<std::size_t, std::size_t> find_last_arrivals(std::span<const core::WorkerTrace> ranks);

}  // namespace dp::experiments
