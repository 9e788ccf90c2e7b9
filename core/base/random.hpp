// Counter-based random numbers: the value at an index is a hash of (key, index), so that any worker
// can compute any number without drawing those before it, and no result depends on how work is
// split. Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", 2014.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace dp::core {

constexpr std::uint64_t splitmix64(std::uint64_t z) noexcept {
    z += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/// What a stream is for: the first element of its path, so that no two uses share numbers.
enum class RandomUse : std::uint64_t {
    kInitialParameters,
    kShuffle,
    kDropout,
    kAugment,
    kSynthetic,
    kSweepOrder
};

/// The numbers at (seed, use, path...), addressed by index. Immutable; safe from any thread.
class RandomStream {
public:
    constexpr RandomStream(std::uint64_t seed, RandomUse use,
                           std::initializer_list<std::uint64_t> path = {}) noexcept
        : key_(splitmix64(splitmix64(seed) + static_cast<std::uint64_t>(use))) {
        for (const std::uint64_t element : path) key_ = splitmix64(key_ + element);
    }

    [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t index) const noexcept {
        return splitmix64(key_ + index);
    }

    /// Uniform in [0, 1), a multiple of 2^-24: exact in float32.
    [[nodiscard]] constexpr float uniform(std::uint64_t index) const noexcept {
        return static_cast<float>(bits(index) >> 40) * 0x1p-24F;
    }

    /// Uniform in [0, bound), for bound < 2^32 (Lemire's multiply-shift; its bias is below 2^-32).
    [[nodiscard]] constexpr std::uint32_t below(std::uint64_t index,
                                                std::uint32_t bound) const noexcept {
        return static_cast<std::uint32_t>(((bits(index) >> 32) * bound) >> 32);
    }

private:
    std::uint64_t key_;
};

}  // namespace dp::core
