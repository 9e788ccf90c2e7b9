#include "core/exchange/tree_exchange.hpp"

#include <algorithm>

namespace dp::core {

Schedule TreeExchange::make_schedule(std::size_t rank, std::size_t world_size, Range bucket) {
    const Fold fold(world_size);
    Schedule all{.owned = bucket};
    add_fold(all.reduce, fold, rank, bucket);
    if (!fold.rests(rank)) {
        const std::size_t node = fold.node_of(rank);
        for (std::size_t k = 0; k < fold.levels(); ++k) {
            const std::size_t distance = std::size_t{1} << k;
            const std::size_t peer = fold.rank_of(node ^ distance);
            const std::size_t back = 2 * fold.levels() - k;
            if ((node & distance) != 0) {
                all.reduce.push_back(
                    {.name = "reduce", .round = 1 + k, .to = peer, .send = bucket});
                all.gather.push_back(
                    {.name = "broadcast", .round = back, .from = peer, .receive = bucket});
                break;
            }
            all.reduce.push_back(
                {.name = "reduce", .round = 1 + k, .from = peer, .receive = bucket, .adds = true});
            all.gather.push_back({.name = "broadcast", .round = back, .to = peer, .send = bucket});
        }
        std::ranges::reverse(all.gather);
    }
    add_unfold(all.gather, fold, rank, bucket);
    return all;
}

}  // namespace dp::core
