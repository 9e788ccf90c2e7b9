// The synthetic set: the same for everybody, balanced, and beyond a linear classifier.
#include "core/data/synthetic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/data/batch_loader.hpp"
#include "tests/support/catch.hpp"

namespace {

using dp::core::Dataset;
using dp::core::ImageSet;
using dp::core::kClasses;
using dp::core::make_synthetic;

constexpr std::size_t kInputs = 3 * 32 * 32;
constexpr std::size_t kBatch = 100;

std::array<std::size_t, kClasses> class_counts(const ImageSet& set) {
    std::array<std::size_t, kClasses> counts{};
    for (const std::uint8_t label : set.labels) ++counts.at(label);
    return counts;
}

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3ULL;
    return hash;
}

/// Softmax regression on normalised pixels, by plain gradient descent.
class LinearClassifier {
public:
    std::array<float, kClasses> logits(const float* input) const {
        std::array<float, kClasses> out{};
        for (std::size_t k = 0; k < kClasses; ++k) {
            const float* w = weights_.data() + k * kInputs;
            // Eight sums, so that the compiler may keep them in one register.
            std::array<float, 8> sums{};
            for (std::size_t i = 0; i < kInputs; i += 8) {
                for (std::size_t j = 0; j < 8; ++j) sums[j] += w[i + j] * input[i + j];
            }
            for (const float sum : sums) out[k] += sum;
        }
        return out;
    }

    void learn(const float* input, std::size_t label, float rate) {
        std::array<float, kClasses> p = logits(input);
        const float top = *std::max_element(p.begin(), p.end());
        float sum = 0;
        for (float& value : p) sum += value = std::exp(value - top);
        for (std::size_t k = 0; k < kClasses; ++k) {
            const float step = rate * (p[k] / sum - (k == label ? 1.0F : 0.0F));
            float* w = weights_.data() + k * kInputs;
            for (std::size_t i = 0; i < kInputs; ++i) w[i] -= step * input[i];
        }
    }

    std::size_t predict(const float* input) const {
        const auto out = logits(input);
        return static_cast<std::size_t>(std::max_element(out.begin(), out.end()) - out.begin());
    }

private:
    std::vector<float> weights_ = std::vector<float>(kClasses * kInputs, 0.0F);
};

}  // namespace

TEST_CASE("the default synthetic set has CIFAR-10's shape and classes of equal size", "[data]") {
    const Dataset data = make_synthetic(1);
    REQUIRE(data.name == "synthetic");
    REQUIRE(data.shape() == dp::core::ImageShape{3, 32, 32});
    REQUIRE(data.test.shape == data.shape());
    REQUIRE(data.train.pixels.size() == 10'000 * kInputs);
    REQUIRE(data.test.pixels.size() == 2'000 * kInputs);
    for (const std::size_t count : class_counts(data.train)) REQUIRE(count == 1000);
    for (const std::size_t count : class_counts(data.test)) REQUIRE(count == 200);
}

TEST_CASE("each ten synthetic images in a row hold every class", "[data]") {
    const ImageSet set = make_synthetic(1, 100, 0).train;
    for (std::size_t first = 0; first < 100; first += 10) {
        std::array<bool, kClasses> seen{};
        for (std::size_t i = 0; i < 10; ++i) seen.at(set.labels[first + i]) = true;
        REQUIRE(std::all_of(seen.begin(), seen.end(), [](bool s) { return s; }));
    }
}

TEST_CASE("a synthetic image does not depend on the size of its set", "[data]") {
    const Dataset large = make_synthetic(7, 45, 23);
    for (const std::size_t count : {0, 1, 9, 10, 11, 23}) {
        const Dataset small = make_synthetic(7, count, count);
        const auto begins = [](const ImageSet& whole, const ImageSet& start) {
            return std::equal(start.pixels.begin(), start.pixels.end(), whole.pixels.begin()) &&
                   std::equal(start.labels.begin(), start.labels.end(), whole.labels.begin());
        };
        REQUIRE(small.train.size() == count);
        REQUIRE(begins(large.train, small.train));
        REQUIRE(begins(large.test, small.test));
    }
}

TEST_CASE("the seed, and training or test, make different synthetic images", "[data]") {
    const Dataset data = make_synthetic(1, 20, 20);
    REQUIRE(data.train.pixels != data.test.pixels);
    REQUIRE(data.train.labels != data.test.labels);
    REQUIRE(data.train.pixels != make_synthetic(2, 20, 20).train.pixels);
    REQUIRE(data.train.pixels == make_synthetic(1, 20, 20).train.pixels);
}

TEST_CASE("synthetic images are the same bytes on every machine", "[data]") {
    REQUIRE(fnv1a(make_synthetic(1, 100, 0).train.pixels) == 0x4F47AC2535CAB1F2ULL);
}

TEST_CASE("the synthetic set's mean and deviation normalise it", "[data]") {
    for (const std::uint64_t seed : {1, 2, 3}) {
        const Dataset data = make_synthetic(seed, 2000, 0);
        const std::size_t plane = 32 * 32;
        for (std::size_t c = 0; c < 3; ++c) {
            double sum = 0;
            double squares = 0;
            for (std::size_t i = 0; i < data.train.size(); ++i) {
                for (const std::uint8_t value : data.train.image(i).subspan(c * plane, plane)) {
                    const double x = (value / 255.0 - static_cast<double>(data.mean[c])) /
                                     static_cast<double>(data.deviation[c]);
                    sum += x;
                    squares += x * x;
                }
            }
            const auto count = static_cast<double>(data.train.size() * plane);
            REQUIRE(std::abs(sum / count) < 0.05);
            REQUIRE(std::abs(squares / count - 1) < 0.05);
        }
    }
}

TEST_CASE("a linear classifier stays under half on the synthetic set", "[data]") {
    const Dataset data = make_synthetic(1);
    std::vector<float> images(kBatch * kInputs);
    std::vector<std::int32_t> labels(kBatch);
    std::vector<std::uint32_t> samples(kBatch);
    dp::core::Batch batch{0, images, labels, samples};
    LinearClassifier classifier;

    const auto train = dp::core::make_training_source(data, {0, 1, kBatch, 1, true, false, {}});
    for (std::size_t epoch = 0; epoch < 5; ++epoch) {
        train->begin_epoch(epoch);
        for (std::size_t step = 0; step < train->steps(); ++step) {
            train->load(step, batch);
            for (std::size_t i = 0; i < batch.size; ++i) {
                classifier.learn(images.data() + i * kInputs, static_cast<std::size_t>(labels[i]),
                                 1e-5F);
            }
        }
    }

    const auto accuracy = [&](dp::core::BatchSource& source, std::size_t count) {
        std::size_t correct = 0;
        for (std::size_t step = 0; step < source.steps(); ++step) {
            source.load(step, batch);
            for (std::size_t i = 0; i < batch.size; ++i) {
                correct += classifier.predict(images.data() + i * kInputs) ==
                                   static_cast<std::size_t>(labels[i])
                               ? 1
                               : 0;
            }
        }
        return static_cast<double>(correct) / static_cast<double>(count);
    };
    // It does learn what it sees, so that the test's figure is the set's doing.
    const double seen = accuracy(*train, data.train.size());
    const double test = accuracy(*dp::core::make_evaluation_source(data, 0, 1, kBatch), 2000);
    CAPTURE(seen, test);
    REQUIRE(seen > 0.15);
    REQUIRE(test < 0.35);
}
