// Which image each rank sees, and when: the rules of PyTorch's DistributedSampler
// (torch/utils/data/distributed.py) for training, a plain partition for evaluation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dp::core {

/// ceil(n / world_size): every rank sees as many. Requires world_size > 0.
[[nodiscard]] constexpr std::size_t samples_per_rank(std::size_t n, std::size_t world_size) {
    return n / world_size + (n % world_size != 0 ? 1 : 0);
}

/// The order of a training set. Its ranks need not talk: each computes the same permutation.
/// Thread safety: none; each rank has its own.
class DistributedSampler {
public:
    /// Requires n < 2^32 and world_size > 0. Without `shuffle` the order is that of the data.
    DistributedSampler(std::size_t n, std::size_t world_size, std::uint64_t seed, bool shuffle);

    /// Sets `indices` to the samples_per_rank() images of `rank` < world_size in epoch `epoch`, in
    /// order: positions rank, rank + P, ... of a permutation of [0, n) keyed by (seed, epoch) and
    /// padded by wrapping, more than once when P > n, to a multiple of P. Allocates only when
    /// `indices` is too small.
    void fill(std::size_t epoch, std::size_t rank, std::vector<std::uint32_t>& indices);

private:
    const std::size_t world_size_;
    const std::uint64_t seed_;
    const bool shuffle_;
    std::vector<std::uint32_t> order_;  // of the last epoch asked for
};

/// The half-open range [begin, end).
struct IndexRange {
    std::size_t begin = 0;
    std::size_t end = 0;

    [[nodiscard]] constexpr std::size_t size() const { return end - begin; }
    friend bool operator==(const IndexRange&, const IndexRange&) = default;
};

/// The test images of `rank`: [rank * n / P, (rank + 1) * n / P). The ranks' ranges differ by at
/// most one image in size and hold every image exactly once: padding would count some twice.
[[nodiscard]] constexpr IndexRange evaluation_range(std::size_t n, std::size_t world_size,
                                                    std::size_t rank) {
    return {rank * n / world_size, (rank + 1) * n / world_size};
}

}  // namespace dp::core
