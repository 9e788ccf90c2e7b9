#include "core/measure/lateness.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace dp::core {

std::vector<Lateness> find_lateness(std::span<const std::vector<std::int64_t>* const> arrivals_ns) {
    std::vector<Lateness> late(arrivals_ns.size());
    if (arrivals_ns.size() < 2) return late;
    const std::size_t steps = arrivals_ns.front()->size();
    for (const auto* rank : arrivals_ns) DP_CHECK(rank->size(), ==, steps);
    for (std::size_t step = 0; step < steps; ++step) {
        std::size_t last = 0;
        for (std::size_t rank = 1; rank < arrivals_ns.size(); ++rank) {
            if ((*arrivals_ns[rank])[step] > (*arrivals_ns[last])[step]) last = rank;
        }
        std::int64_t before = (*arrivals_ns[last == 0 ? 1 : 0])[step];
        for (std::size_t rank = 0; rank < arrivals_ns.size(); ++rank) {
            if (rank != last) before = std::max(before, (*arrivals_ns[rank])[step]);
        }
        const std::int64_t gap = (*arrivals_ns[last])[step] - before;
        if (gap == 0) continue;
        ++late[last].steps;
        late[last].seconds += static_cast<double>(gap) * 1e-9;
    }
    return late;
}

}  // namespace dp::core
