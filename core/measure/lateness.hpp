// Who the others waited for. Every rank stamps its arrival at the two places of a step where ranks
// meet; with all stamps together, each step has a last rank.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dp::core {

/// One rank's stamps of one epoch, in nanoseconds of the steady clock, which is one for all
/// processes of a machine.
struct StepArrivals {
    std::vector<std::int64_t> exchange_ns;  // by step: all its gradients are handed over
    std::vector<std::int64_t> publish_ns;   // by step: its update is done
    /// By step: how long it had no CPU in load, forward and backward.
    std::vector<std::int64_t> off_cpu_ns = {};

    void reserve(std::size_t steps) {
        for (auto* const each : {&exchange_ns, &publish_ns, &off_cpu_ns}) each->reserve(steps);
    }
};

/// At one kind of meeting, over an epoch. The ranks' steps sum to the epoch's, unless two arrive at
/// once.
struct Lateness {
    std::uint64_t steps = 0;  // in which this rank came last
    double seconds = 0.0;     // by which it came after the last but one, over those steps
};

/// By rank, from every rank's stamps of the same steps. With one rank nobody is late.
std::vector<Lateness> find_lateness(std::span<const std::vector<std::int64_t>* const> arrivals_ns);

}  // namespace dp::core
