#include "core/exchange/recursive_doubling_exchange.hpp"

namespace dp::core {

Schedule RecursiveDoublingExchange::make_schedule(std::size_t rank, std::size_t world_size,
                                                  Range bucket) {
    const Fold fold(world_size);
    Schedule all{.owned = bucket};
    add_fold(all.reduce, fold, rank, bucket);
    for (std::size_t k = 0; k < fold.levels() && !fold.rests(rank); ++k) {
        const std::size_t peer = fold.rank_of(fold.node_of(rank) ^ (std::size_t{1} << k));
        all.reduce.push_back({.name = "swap",
                              .round = 1 + k,
                              .to = peer,
                              .send = bucket,
                              .from = peer,
                              .receive = bucket,
                              .adds = true});
    }
    add_unfold(all.gather, fold, rank, bucket);
    return all;
}

}  // namespace dp::core
