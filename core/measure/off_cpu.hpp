// What it costs all ranks that one of them was ready to compute and had no CPU.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/measure/lateness.hpp"

namespace dp::core {

/// By rank, from every rank's stamps of the same steps: seconds of waiting at the exchange that
/// would not have been, had every rank been on a CPU all the time that it computed. Below 0 for a
/// rank that was off its CPU itself while others computed, and so waited less.
///
/// A step's exchange begins with its last rank's arrival, max a_r. Without the time o_r that rank r
/// was off its CPU since the last exchange it would have begun at max (a_r - o_r), so that rank r
/// waits (max a - a_r) - (max (a - o) - (a_r - o_r)) longer. With o_r itself that is the same for
/// all ranks, by which the step is longer: max a - max (a - o).
std::vector<double> find_wait_for_off_cpu(std::span<const StepArrivals* const> arrivals);

}  // namespace dp::core
