// The ways to sum gradients between processes: one row each in a table that feeds the command line,
// the help and the tests. All add in the same order, so that the choice changes time and no bit.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "multiproc/segment_exchange.hpp"

namespace dp::multiproc {

struct Reduction {
    std::string_view name;
    std::string_view description;
    std::unique_ptr<SegmentExchange> (*make)(ExchangeSetup setup) = nullptr;
};

/// The first is the default: the fastest with a core per rank as well as with fewer. (4.6 MB on two
/// cores, microseconds: two ranks direct 82, ring 105, slot-ring 185; four ranks direct 400 to 440,
/// ring 410 to 740 and slot-ring 1,200 to 1,480 as the ranks happen to be scheduled.)
std::span<const Reduction> reductions();
/// The default where `name` is empty. Throws Error(kUsage) that lists the names.
const Reduction& find_reduction(std::string_view name);

}  // namespace dp::multiproc
