// Assembles batches: gathers images by index, augments them, and normalises as it writes. A source
// owns its epoch's indices and the per-channel normalisation; all of it is allocated when made.
#include "core/data/batch_loader.hpp"

#include <algorithm>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/parallel.hpp"
#include "core/base/random.hpp"
#include "core/data/sampler.hpp"

namespace dp::core {
namespace {

constexpr std::size_t kPadding = 4;  // the crop that papers on CIFAR-10 use since He et al., 2015

std::size_t steps_for(std::size_t samples, std::size_t batch_size) {
    return samples / batch_size + (samples % batch_size != 0 ? 1 : 0);
}

// The images left for `step` of batches of `batch_size`.
std::size_t size_of_step(std::size_t samples, std::size_t batch_size, std::size_t step) {
    return std::min(batch_size, samples - step * batch_size);
}

/// Writes images of a set as network input.
class Normaliser {
public:
    Normaliser(const ImageSet& set, const Dataset& data)
        : set_(set), scale_(data.mean.size()), shift_(data.mean.size()) {
        DP_CHECK(data.mean.size(), ==, set.shape.channels);
        DP_CHECK(data.deviation.size(), ==, set.shape.channels);
        for (std::size_t c = 0; c < scale_.size(); ++c) {
            scale_[c] = 1.0F / (255.0F * data.deviation[c]);
            shift_[c] = -data.mean[c] / data.deviation[c];
        }
    }

    void write(std::size_t index, float* dst) const {
        const std::size_t plane = set_.shape.height * set_.shape.width;
        const std::uint8_t* src = set_.image(index).data();
        for (std::size_t c = 0; c < set_.shape.channels; ++c) {
            const float scale = scale_[c];
            const float shift = shift_[c];
            for (std::size_t p = 0; p < plane; ++p)
                dst[p] = static_cast<float>(src[p]) * scale + shift;
            src += plane;
            dst += plane;
        }
    }

    /// Cuts (H, W) out of the image padded by kPadding black pixels a side, `top` rows down and
    /// `left` columns right, then mirrors it if `flip`: torchvision's RandomCrop, then
    /// RandomHorizontalFlip.
    void write_crop(std::size_t index, std::size_t top, std::size_t left, bool flip,
                    float* dst) const {
        const auto [channels, height, width] = set_.shape;
        // Row y of the crop is row y + top - kPadding of the image; likewise columns.
        const std::size_t first_y = top < kPadding ? kPadding - top : 0;
        const std::size_t last_y = std::min(height, height + kPadding - top);
        const std::size_t first_x = left < kPadding ? kPadding - left : 0;
        const std::size_t last_x = std::min(width, width + kPadding - left);
        const std::uint8_t* src = set_.image(index).data();
        for (std::size_t c = 0; c < channels; ++c) {
            std::fill_n(dst, height * width, shift_[c]);
            for (std::size_t y = first_y; y < last_y; ++y) {
                const std::uint8_t* from = src + (y + top - kPadding) * width;
                float* to = dst + y * width;
                for (std::size_t x = first_x; x < last_x; ++x) {
                    to[flip ? width - 1 - x : x] =
                        static_cast<float>(from[x + left - kPadding]) * scale_[c] + shift_[c];
                }
            }
            src += height * width;
            dst += height * width;
        }
    }

private:
    const ImageSet& set_;
    std::vector<float> scale_;  // (C): value * scale + shift = (value / 255 - mean) / deviation
    std::vector<float> shift_;  // (C): also what a black pixel becomes
};

class TrainingSource final : public BatchSource {
public:
    TrainingSource(const Dataset& data, const TrainingSourceOptions& options)
        : set_(data.train),
          options_(options),
          normaliser_(data.train, data),
          sampler_(data.train.size(), options.world_size, options.seed, options.shuffle) {
        DP_CHECK(options.batch_size, >, std::size_t{0});
        // A crop never misses the image altogether.
        if (options.augment) {
            DP_CHECK(set_.shape.height, >, kPadding);
            DP_CHECK(set_.shape.width, >, kPadding);
        }
        begin_epoch(0);
        steps_ = steps_for(indices_.size(), options.batch_size);
        if (options.steps_limit) steps_ = std::min(steps_, *options.steps_limit);
    }

    [[nodiscard]] std::size_t steps() const override { return steps_; }

    [[nodiscard]] std::size_t batch_size(std::size_t step) const override {
        return size_of_step(indices_.size(), options_.batch_size, step);
    }

    void begin_epoch(std::size_t epoch) override {
        epoch_ = epoch;
        sampler_.fill(epoch, options_.rank, indices_);
    }

    void load(std::size_t step, Batch& batch) override {
        batch.size = batch_size(step);
        const std::uint32_t* indices = indices_.data() + step * options_.batch_size;
        parallel_parts(batch.size, [&](std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i) {
                batch.samples[i] = indices[i];
                batch.labels[i] = set_.labels[indices[i]];
                write(indices[i], batch.images.data() + i * set_.shape.size());
            }
        });
    }

private:
    void write(std::uint32_t index, float* dst) const {
        if (!options_.augment) return normaliser_.write(index, dst);
        const RandomStream random(options_.seed, RandomUse::kAugment, {epoch_, index});
        normaliser_.write_crop(index, random.below(0, 2 * kPadding + 1),
                               random.below(1, 2 * kPadding + 1), (random.bits(2) >> 63) != 0, dst);
    }

    const ImageSet& set_;
    const TrainingSourceOptions options_;
    const Normaliser normaliser_;
    DistributedSampler sampler_;
    std::size_t steps_ = 0;
    std::size_t epoch_ = 0;
    std::vector<std::uint32_t> indices_;  // this rank's share in the order of epoch_
};

class EvaluationSource final : public BatchSource {
public:
    EvaluationSource(const Dataset& data, std::size_t rank, std::size_t world_size,
                     std::size_t batch_size)
        : set_(data.test),
          range_(evaluation_range(data.test.size(), world_size, rank)),
          batch_size_(batch_size),
          normaliser_(data.test, data) {
        DP_CHECK(rank, <, world_size);
        DP_CHECK(batch_size, >, std::size_t{0});
    }

    [[nodiscard]] std::size_t steps() const override {
        return steps_for(range_.size(), batch_size_);
    }

    [[nodiscard]] std::size_t batch_size(std::size_t step) const override {
        return size_of_step(range_.size(), batch_size_, step);
    }

    void begin_epoch(std::size_t /*epoch*/) override {}

    void load(std::size_t step, Batch& batch) override {
        batch.size = batch_size(step);
        parallel_parts(batch.size, [&](std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i) {
                const std::size_t index = range_.begin + step * batch_size_ + i;
                batch.samples[i] = static_cast<std::uint32_t>(index);
                batch.labels[i] = set_.labels[index];
                normaliser_.write(index, batch.images.data() + i * set_.shape.size());
            }
        });
    }

private:
    const ImageSet& set_;
    const IndexRange range_;
    const std::size_t batch_size_;
    const Normaliser normaliser_;
};

}  // namespace

std::unique_ptr<BatchSource> make_training_source(const Dataset& data,
                                                  const TrainingSourceOptions& options) {
    return std::make_unique<TrainingSource>(data, options);
}

std::unique_ptr<BatchSource> make_evaluation_source(const Dataset& data, std::size_t rank,
                                                    std::size_t world_size,
                                                    std::size_t batch_size) {
    return std::make_unique<EvaluationSource>(data, rank, world_size, batch_size);
}

}  // namespace dp::core
