#include "core/measure/off_cpu.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace dp::core {

std::vector<double> find_wait_for_off_cpu(std::span<const StepArrivals* const> arrivals) {
    std::vector<double> seconds(arrivals.size(), 0.0);
    if (arrivals.empty()) return seconds;
    const std::size_t steps = arrivals.front()->exchange_ns.size();
    for (const StepArrivals* rank : arrivals) {
        DP_CHECK(rank->exchange_ns.size(), ==, steps);
        DP_CHECK(rank->off_cpu_ns.size(), ==, steps);
    }
    for (std::size_t step = 0; step < steps; ++step) {
        // Two clocks: a rounding error may be below 0.
        const auto off = [&](const StepArrivals& rank) {
            return std::max<std::int64_t>(0, rank.off_cpu_ns[step]);
        };
        std::int64_t last = arrivals.front()->exchange_ns[step];
        std::int64_t last_with_cpu = last - off(*arrivals.front());
        for (const StepArrivals* rank : arrivals) {
            last = std::max(last, rank->exchange_ns[step]);
            last_with_cpu = std::max(last_with_cpu, rank->exchange_ns[step] - off(*rank));
        }
        for (std::size_t rank = 0; rank < arrivals.size(); ++rank) {
            const std::int64_t longer = last - last_with_cpu - off(*arrivals[rank]);
            seconds[rank] += static_cast<double>(longer) * 1e-9;
        }
    }
    return seconds;
}

}  // namespace dp::core
