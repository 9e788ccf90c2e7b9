// The epoch's permutation; the sampler owns it.
#include "core/data/sampler.hpp"

#include <limits>
#include <numeric>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/random.hpp"

namespace dp::core {

DistributedSampler::DistributedSampler(std::size_t n, std::size_t world_size, std::uint64_t seed,
                                       bool shuffle)
    : world_size_(world_size), seed_(seed), shuffle_(shuffle), order_(n) {
    DP_CHECK(world_size, >, std::size_t{0});
    DP_CHECK(n, <=, std::size_t{std::numeric_limits<std::uint32_t>::max()});
    std::iota(order_.begin(), order_.end(), 0U);
}

void DistributedSampler::fill(std::size_t epoch, std::size_t rank,
                              std::vector<std::uint32_t>& indices) {
    DP_CHECK(rank, <, world_size_);
    const std::size_t n = order_.size();
    if (shuffle_) {
        // From the identity each time, so that an epoch's order does not depend on those before.
        std::iota(order_.begin(), order_.end(), 0U);
        // Fisher and Yates, in Durstenfeld's form (1964).
        const RandomStream random(seed_, RandomUse::kShuffle, {epoch});
        for (std::size_t i = n; i > 1; --i) {
            std::swap(order_[i - 1], order_[random.below(i - 1, static_cast<std::uint32_t>(i))]);
        }
    }
    indices.resize(samples_per_rank(n, world_size_));
    std::size_t position = rank;
    for (std::uint32_t& index : indices) {
        index = order_[position % n];
        position += world_size_;
    }
}

}  // namespace dp::core
