// The batch sources over a small set whose pixels tell image, channel and position.
#include "core/data/batch_loader.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "core/data/sampler.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"

namespace {

using dp::core::Batch;
using dp::core::BatchSource;
using dp::core::Dataset;
using dp::core::ImageSet;
using dp::core::make_evaluation_source;
using dp::core::make_training_source;
using dp::core::TrainingSourceOptions;

constexpr dp::core::ImageShape kShape{2, 6, 5};

ImageSet make_set(std::size_t count, std::size_t salt) {
    ImageSet set{kShape, {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
        set.labels.push_back(static_cast<std::uint8_t>((i + salt) % 10));
        for (std::size_t p = 0; p < kShape.size(); ++p) {
            set.pixels.push_back(static_cast<std::uint8_t>(1 + (salt + 61 * i + p) % 255));
        }
    }
    return set;
}

Dataset make_data(std::size_t train, std::size_t test) {
    return {"small",           "made here",   make_set(train, 0),
            make_set(test, 5), {0.5F, 0.25F}, {0.25F, 0.5F}};
}

/// A batch with its memory.
struct Buffers {
    explicit Buffers(std::size_t size) : images(size * kShape.size()), labels(size), samples(size) {
        batch = {0, images, labels, samples};
    }
    std::vector<float> images;
    std::vector<std::int32_t> labels;
    std::vector<std::uint32_t> samples;
    Batch batch;
};

float normalised(const Dataset& data, std::size_t channel, std::uint8_t value) {
    return (static_cast<float>(value) / 255.0F - data.mean[channel]) / data.deviation[channel];
}

// The pixel of the image shifted by (dy, dx) and mirrored; black beyond its edges.
std::uint8_t pixel_of(const ImageSet& set, std::size_t index, std::size_t c, int y, int x, int dy,
                      int dx, bool flip) {
    const int height = static_cast<int>(kShape.height);
    const int width = static_cast<int>(kShape.width);
    const int from_y = y + dy;
    const int from_x = (flip ? width - 1 - x : x) + dx;
    if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) return 0;
    return set.image(index)[c * kShape.height * kShape.width +
                            static_cast<std::size_t>(from_y * width + from_x)];
}

bool equals(const Dataset& data, const ImageSet& set, std::size_t index, const float* image, int dy,
            int dx, bool flip) {
    for (std::size_t c = 0; c < kShape.channels; ++c) {
        for (int y = 0; y < static_cast<int>(kShape.height); ++y) {
            for (int x = 0; x < static_cast<int>(kShape.width); ++x) {
                const float want = normalised(data, c, pixel_of(set, index, c, y, x, dy, dx, flip));
                if (std::abs(*image++ - want) > 1e-6F) return false;
            }
        }
    }
    return true;
}

// The samples of one epoch, all batches in a row.
std::vector<std::uint32_t> epoch_samples(BatchSource& source, std::size_t epoch,
                                         std::size_t batch_size) {
    Buffers buffers(batch_size);
    std::vector<std::uint32_t> samples;
    source.begin_epoch(epoch);
    for (std::size_t step = 0; step < source.steps(); ++step) {
        source.load(step, buffers.batch);
        REQUIRE(buffers.batch.size == source.batch_size(step));
        samples.insert(samples.end(), buffers.samples.begin(),
                       buffers.samples.begin() + static_cast<std::ptrdiff_t>(buffers.batch.size));
    }
    return samples;
}

}  // namespace

TEST_CASE("a training epoch is the sampler's share, the short last batch included", "[data]") {
    for (const std::size_t world_size : {1, 2, 3, 4, 7}) {
        for (const std::size_t n : {std::size_t{1}, world_size, world_size + 1, std::size_t{53}}) {
            const Dataset data = make_data(n, 1);
            for (const bool shuffle : {false, true}) {
                for (std::size_t rank = 0; rank < world_size; ++rank) {
                    const auto source =
                        make_training_source(data, {rank, world_size, 4, 9, shuffle, false, {}});
                    const std::size_t share = dp::core::samples_per_rank(n, world_size);
                    REQUIRE(source->steps() == (share + 3) / 4);
                    dp::core::DistributedSampler sampler(n, world_size, 9, shuffle);
                    for (const std::size_t epoch : {0, 2, 1}) {
                        std::vector<std::uint32_t> expected;
                        sampler.fill(epoch, rank, expected);
                        REQUIRE(epoch_samples(*source, epoch, 4) == expected);
                    }
                }
            }
        }
    }
}

TEST_CASE("an evaluation holds every test image exactly once, in order", "[data]") {
    for (const std::size_t world_size : {1, 2, 3, 4, 7}) {
        for (const std::size_t n : {0, 1, 6, 7, 8, 53}) {
            const Dataset data = make_data(1, n);
            std::vector<std::uint32_t> seen;
            for (std::size_t rank = 0; rank < world_size; ++rank) {
                const auto source = make_evaluation_source(data, rank, world_size, 4);
                for (const std::uint32_t sample : epoch_samples(*source, 0, 4)) {
                    seen.push_back(sample);
                }
            }
            REQUIRE(seen.size() == n);
            for (std::size_t i = 0; i < n; ++i) REQUIRE(seen[i] == i);
        }
    }
}

TEST_CASE("images come normalised and with their labels", "[data]") {
    const Dataset data = make_data(10, 7);
    Buffers buffers(4);
    const auto check = [&](const ImageSet& set, BatchSource& source) {
        for (std::size_t step = 0; step < source.steps(); ++step) {
            source.load(step, buffers.batch);
            for (std::size_t i = 0; i < buffers.batch.size; ++i) {
                const std::uint32_t index = buffers.samples[i];
                REQUIRE(buffers.labels[i] == set.labels[index]);
                REQUIRE(equals(data, set, index, buffers.images.data() + i * kShape.size(), 0, 0,
                               false));
            }
        }
    };
    check(data.train, *make_training_source(data, {0, 1, 4, 1, true, false, {}}));
    check(data.test, *make_evaluation_source(data, 0, 1, 4));
}

TEST_CASE("a step limit ends the epoch early and never makes it longer", "[data]") {
    const Dataset data = make_data(10, 1);
    const auto steps = [&](std::size_t limit) {
        return make_training_source(data, {0, 1, 4, 1, true, false, limit})->steps();
    };
    REQUIRE(steps(0) == 0);
    REQUIRE(steps(1) == 1);
    REQUIRE(steps(3) == 3);
    REQUIRE(steps(100) == 3);
}

TEST_CASE("augmentation crops within four pixels, pads with black and mirrors", "[data]") {
    const Dataset data = make_data(10, 1);
    const auto source = make_training_source(data, {0, 1, 10, 1, true, true, {}});
    Buffers buffers(10);
    std::set<int> downs;
    std::set<int> rights;
    std::size_t mirrored = 0;
    for (std::size_t epoch = 0; epoch < 40; ++epoch) {
        source->begin_epoch(epoch);
        source->load(0, buffers.batch);
        for (std::size_t i = 0; i < 10; ++i) {
            std::size_t matches = 0;
            for (int dy = -4; dy <= 4; ++dy) {
                for (int dx = -4; dx <= 4; ++dx) {
                    for (const bool flip : {false, true}) {
                        if (!equals(data, data.train, buffers.samples[i],
                                    buffers.images.data() + i * kShape.size(), dy, dx, flip)) {
                            continue;
                        }
                        ++matches;
                        downs.insert(dy);
                        rights.insert(dx);
                        mirrored += flip ? 1 : 0;
                    }
                }
            }
            REQUIRE(matches >= 1);
        }
    }
    REQUIRE(downs.size() == 9);
    REQUIRE(rights.size() == 9);
    // 400 fair coins: mean 200, deviation 10.
    REQUIRE(mirrored > 150);
    REQUIRE(mirrored < 260);
}

TEST_CASE("augmentation does not depend on how work is split", "[data]") {
    const Dataset data = make_data(12, 1);
    const auto whole = make_training_source(data, {0, 1, 12, 1, true, true, {}});
    Buffers all(12);
    Buffers part(2);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        whole->begin_epoch(epoch);
        whole->load(0, all.batch);
        for (std::size_t rank = 0; rank < 3; ++rank) {
            const auto source = make_training_source(data, {rank, 3, 2, 1, true, true, {}});
            source->begin_epoch(epoch);
            for (std::size_t step = 0; step < source->steps(); ++step) {
                source->load(step, part.batch);
                for (std::size_t i = 0; i < part.batch.size; ++i) {
                    const std::size_t position = rank + 3 * (2 * step + i);
                    REQUIRE(part.samples[i] == all.samples[position]);
                    REQUIRE(std::equal(
                        part.images.begin() + static_cast<std::ptrdiff_t>(i * kShape.size()),
                        part.images.begin() + static_cast<std::ptrdiff_t>((i + 1) * kShape.size()),
                        all.images.begin() +
                            static_cast<std::ptrdiff_t>(position * kShape.size())));
                }
            }
        }
    }
}

TEST_CASE("neither loading nor starting an epoch allocates", "[data]") {
    const Dataset data = make_data(50, 50);
    Buffers buffers(8);
    const auto plain = make_training_source(data, {1, 3, 8, 1, true, false, {}});
    const auto augmented = make_training_source(data, {1, 3, 8, 1, true, true, {}});
    const auto evaluation = make_evaluation_source(data, 1, 3, 8);
    const std::size_t before = dp::tests::allocation_count();
    for (BatchSource* source : {plain.get(), augmented.get(), evaluation.get()}) {
        for (std::size_t epoch = 0; epoch < 3; ++epoch) {
            source->begin_epoch(epoch);
            for (std::size_t step = 0; step < source->steps(); ++step) {
                source->load(step, buffers.batch);
            }
        }
    }
    REQUIRE(dp::tests::allocation_count() == before);
}
