// The built-in data set: ten classes of textured shapes of the CIFAR-10 shape, made from a seed, so
// that a first run needs no download. The returned Dataset owns its pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/data/dataset.hpp"

namespace dp::core {

inline constexpr std::size_t kSyntheticTrainImages = 10'000;
inline constexpr std::size_t kSyntheticTestImages = 2'000;

/// Images (3, 32, 32). A class is a pair of shape and texture, and every texture is on two shapes.
/// Place, size, colours, which is the brighter, texture phase and noise are random: the classes'
/// mean images are alike, which leaves a linear classifier next to nothing, while convolutions find
/// edges and stripes at once. Image i depends on (seed, train or test, i) only, not on the counts,
/// and by integer arithmetic only: every machine makes the same bytes. Each ten images from a
/// multiple of ten on hold every class once. Requires counts below 2^32. Safe from any thread.
[[nodiscard]] Dataset make_synthetic(std::uint64_t seed,
                                     std::size_t train_images = kSyntheticTrainImages,
                                     std::size_t test_images = kSyntheticTestImages);

}  // namespace dp::core
