#include "core/exchange/halving_doubling_exchange.hpp"

#include <algorithm>

namespace dp::core {

Schedule HalvingDoublingExchange::make_schedule(std::size_t rank, std::size_t world_size,
                                                Range bucket) {
    const Fold fold(world_size);
    Schedule all;
    add_fold(all.reduce, fold, rank, bucket);
    if (!fold.rests(rank)) {
        const std::size_t node = fold.node_of(rank);
        all.owned = bucket;
        for (std::size_t k = 0; k < fold.levels(); ++k) {
            const std::size_t upper = (node >> k) & 1;
            const std::size_t peer = fold.rank_of(node ^ (std::size_t{1} << k));
            const Range kept = chunk_of(all.owned, 2, upper);
            const Range other = chunk_of(all.owned, 2, 1 - upper);
            all.reduce.push_back({.name = "reduce-scatter",
                                  .round = 1 + k,
                                  .to = peer,
                                  .send = other,
                                  .from = peer,
                                  .receive = kept,
                                  .adds = true});
            all.gather.push_back({.name = "all-gather",
                                  .round = 2 * fold.levels() - k,
                                  .to = peer,
                                  .send = kept,
                                  .from = peer,
                                  .receive = other});
            all.owned = kept;
        }
        std::ranges::reverse(all.gather);
    }
    add_unfold(all.gather, fold, rank, bucket);
    return all;
}

}  // namespace dp::core
