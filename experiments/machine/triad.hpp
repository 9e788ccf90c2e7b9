// How fast the machine's memory is, whoever uses it: the bound of all workers together.
#pragma once

#include <optional>

#include "experiments/machine/machine.hpp"

namespace dp::experiments {

/// Bytes per second that a thread on each usable CPU, all together, move between memory and CPUs in
/// a[i] = b[i] + s c[i], the best of a few passes; three times 8 bytes for each i, as STREAM counts
/// (McCalpin, "Memory bandwidth and machine balance in current high performance computers", 1995),
/// although most CPUs also read a[i] before they write it. The arrays have 128 MiB each, which all
/// but the largest caches do not hold: none where there is no memory for them. Takes a second or
/// less.
std::optional<double> measure_triad(const Machine& machine);

}  // namespace dp::experiments
