// An image data set in memory: 8-bit pixels and labels, loaded once before any worker starts and
// only read afterwards, so that threads share it and forked workers inherit it without a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dp::core {

struct ImageShape {
    std::size_t channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;

    [[nodiscard]] constexpr std::size_t size() const { return channels * height * width; }
    friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

inline constexpr std::size_t kClasses = 10;

/// Images (N, C, H, W) of one byte a channel value, in order, and their labels (N), each below
/// kClasses. Thread safety: const after construction.
struct ImageSet {
    ImageShape shape;
    std::vector<std::uint8_t> pixels;
    std::vector<std::uint8_t> labels;

    [[nodiscard]] std::size_t size() const { return labels.size(); }
    /// The pixels (C, H, W) of image `index` < size().
    [[nodiscard]] std::span<const std::uint8_t> image(std::size_t index) const {
        return std::span(pixels).subspan(index * shape.size(), shape.size());
    }
};

/// A training and a test set, and how their pixels become inputs: (value / 255 - mean[c]) /
/// deviation[c].
struct Dataset {
    std::string name;
    std::string source;  // the folder it was read from, or how it was made
    ImageSet train;
    ImageSet test;
    std::vector<float> mean;       // per channel, of values in [0, 1]
    std::vector<float> deviation;  // per channel

    [[nodiscard]] const ImageShape& shape() const { return train.shape; }
};

}  // namespace dp::core
