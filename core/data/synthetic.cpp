// Draws the synthetic images with integers alone: no rounding mode, compiler flag or math library
// can change a byte. The pixels belong to the caller's Dataset. About 4 us an image.
#include "core/data/synthetic.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/random.hpp"

namespace dp::core {
namespace {

constexpr int kSide = 32;
constexpr std::size_t kChannels = 3;
constexpr std::size_t kPlane = std::size_t{kSide} * kSide;
constexpr std::size_t kPixels = kChannels * kPlane;

// Mean and deviation of the default set of seed 1, all channels together. No seed is far off.
constexpr float kMean = 0.4965F;
constexpr float kDeviation = 0.2747F;

enum class Shape { kDisc, kSquare, kRing, kCross, kTriangle };
enum class Texture { kRows, kColumns, kDiagonal, kChecks, kPlain };

struct Figure {
    Shape shape;
    Texture texture;
};

// By label. Every texture stands twice, each time on another shape.
constexpr std::array<Figure, kClasses> kFigures = {{
    {Shape::kDisc, Texture::kRows},
    {Shape::kCross, Texture::kRows},
    {Shape::kSquare, Texture::kColumns},
    {Shape::kTriangle, Texture::kColumns},
    {Shape::kDisc, Texture::kDiagonal},
    {Shape::kTriangle, Texture::kDiagonal},
    {Shape::kSquare, Texture::kChecks},
    {Shape::kCross, Texture::kChecks},
    {Shape::kRing, Texture::kPlain},
    {Shape::kTriangle, Texture::kPlain},
}};

// Which numbers of an image's stream are for what.
enum Draw : std::uint64_t {
    kRadius,
    kCentreX,
    kCentreY,
    kPhaseX,
    kPhaseY,
    kBrightFigure,
    kKeptChannel,
    kColours,                          // three per channel
    kNoise = kColours + 3 * kChannels  // one for eight pixel values
};

enum class Part : std::uint64_t { kTrain, kTest };

constexpr int kMinRadius = 8;
constexpr int kMaxRadius = 13;
constexpr int kNoiseSpan = 64;  // noise is uniform in [-32, 32)

// (dx, dy) from the centre; every shape fits a square of half side `radius`.
bool inside(Shape shape, int dx, int dy, int radius) {
    const int square = dx * dx + dy * dy;
    switch (shape) {
        case Shape::kDisc:
            return square <= radius * radius;
        case Shape::kSquare:
            return 8 * std::max(std::abs(dx), std::abs(dy)) <= 7 * radius;
        case Shape::kRing:
            return square <= radius * radius && 4 * square > radius * radius;
        case Shape::kCross:
            return 3 * std::min(std::abs(dx), std::abs(dy)) <= radius &&
                   std::max(std::abs(dx), std::abs(dy)) <= radius;
        case Shape::kTriangle:
            return dy <= radius && 2 * std::abs(dx) <= dy + radius;
    }
    return false;
}

// The tone, 0 or 1, of a texture with a period of four pixels.
int tone(Texture texture, int x, int y) {
    switch (texture) {
        case Texture::kRows:
            return (y >> 1) & 1;
        case Texture::kColumns:
            return (x >> 1) & 1;
        case Texture::kDiagonal:
            return ((x + y) >> 1) & 1;
        case Texture::kChecks:
            return ((x >> 1) ^ (y >> 1)) & 1;
        case Texture::kPlain:
            return 0;
    }
    return 0;
}

int between(const RandomStream& random, std::uint64_t index, int low, int high) {
    return low + static_cast<int>(random.below(index, static_cast<std::uint32_t>(high - low + 1)));
}

int channel_value(const RandomStream& random, std::uint64_t index, bool bright) {
    return bright ? between(random, index, 151, 231) : between(random, index, 24, 104);
}

/// A figure's pixels: 0 for the background, 1 or 2 for the figure's two tones.
using Plan = std::array<std::uint8_t, kPlane>;

Plan draw_plan(const RandomStream& random, Figure figure) {
    const int radius = between(random, kRadius, kMinRadius, kMaxRadius);
    const int centre_x = between(random, kCentreX, radius, kSide - 1 - radius);
    const int centre_y = between(random, kCentreY, radius, kSide - 1 - radius);
    const int phase_x = between(random, kPhaseX, 0, 3);
    const int phase_y = between(random, kPhaseY, 0, 3);
    Plan plan;
    auto* pixel = plan.data();
    for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
            const bool on = inside(figure.shape, x - centre_x, y - centre_y, radius);
            *pixel++ = static_cast<std::uint8_t>(
                on ? 1 + tone(figure.texture, x + phase_x, y + phase_y) : 0);
        }
    }
    return plan;
}

void draw_image(const RandomStream& random, Figure figure, std::span<std::uint8_t> pixels) {
    const Plan plan = draw_plan(random, figure);

    std::array<std::uint8_t, kPixels> noise;
    for (std::size_t k = 0; k < kPixels / 8; ++k) {
        const std::uint64_t bits = random.bits(kNoise + k);
        for (std::size_t byte = 0; byte < 8; ++byte) {
            noise[8 * k + byte] = static_cast<std::uint8_t>(bits >> (8 * byte));
        }
    }

    // The first tone differs from the background in every channel, the second from the first in two
    // channels and from the background in one: shape and texture both show, whatever the colours.
    const bool bright_figure = random.below(kBrightFigure, 2) != 0;
    const std::size_t kept = random.below(kKeptChannel, kChannels);
    for (std::size_t c = 0; c < kChannels; ++c) {
        const std::uint64_t draw = kColours + 3 * c;
        const int ground = channel_value(random, draw, !bright_figure);
        const int first = channel_value(random, draw + 1, bright_figure);
        const int second = channel_value(random, draw + 2, (c == kept) == bright_figure);
        for (std::size_t p = 0; p < kPlane; ++p) {
            const int colour = plan[p] == 0 ? ground : plan[p] == 1 ? first : second;
            const int value = colour - kNoiseSpan / 2 + ((noise[c * kPlane + p] * kNoiseSpan) >> 8);
            pixels[c * kPlane + p] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
        }
    }
}

// The labels of images [10 * group, 10 * group + 10): every class once. In random order, because in
// table order, unshuffled, a rank of two would see every other class only.
std::array<std::uint8_t, kClasses> group_labels(std::uint64_t seed, Part part, std::size_t group) {
    std::array<std::uint8_t, kClasses> labels{};
    std::iota(labels.begin(), labels.end(), std::uint8_t{0});
    const RandomStream random(seed, RandomUse::kSynthetic,
                              {static_cast<std::uint64_t>(part), 0, group});
    for (std::uint32_t k = kClasses; k > 1; --k) {
        std::swap(labels[k - 1], labels[random.below(k - 1, k)]);
    }
    return labels;
}

ImageSet make_part(std::uint64_t seed, Part part, std::size_t count) {
    ImageSet set{{kChannels, kSide, kSide}, {}, {}};
    set.pixels.resize(count * kPixels);
    set.labels.resize(count);
    std::array<std::uint8_t, kClasses> labels{};
    for (std::size_t i = 0; i < count; ++i) {
        if (i % kClasses == 0) labels = group_labels(seed, part, i / kClasses);
        set.labels[i] = labels[i % kClasses];
        const RandomStream random(seed, RandomUse::kSynthetic,
                                  {static_cast<std::uint64_t>(part), 1, i});
        draw_image(random, kFigures[set.labels[i]],
                   std::span(set.pixels).subspan(i * kPixels, kPixels));
    }
    return set;
}

}  // namespace

Dataset make_synthetic(std::uint64_t seed, std::size_t train_images, std::size_t test_images) {
    return {"synthetic",
            fmt::format("made from seed {}", seed),
            make_part(seed, Part::kTrain, train_images),
            make_part(seed, Part::kTest, test_images),
            std::vector<float>(kChannels, kMean),
            std::vector<float>(kChannels, kDeviation)};
}

}  // namespace dp::core
