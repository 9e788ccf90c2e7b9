// One worker's share of a data set, batch by batch: the seam between the training loop and the
// data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dp::core {

/// A batch as the network takes it. The caller owns the memory; a source fills the first `size`
/// entries.
struct Batch {
    std::size_t size = 0;            // images in this batch
    std::span<float> images;         // (N, C, H, W), normalised
    std::span<std::int32_t> labels;  // (N), each in [0, kClasses)
    std::span<std::uint32_t>
        samples;  // (N), index in the data set: part of each sample's random keys
};

/// The batches that one rank sees. One object per rank, used by that rank alone.
class BatchSource {
public:
    virtual ~BatchSource() = default;

    /// Batches per epoch; equal on every rank of a training source.
    [[nodiscard]] virtual std::size_t steps() const = 0;
    /// Images in the batch of `step` < steps(); at most the size the source was made with.
    [[nodiscard]] virtual std::size_t batch_size(std::size_t step) const = 0;
    /// Fixes the order of epoch `epoch` (0, 1, ...). Called before the epoch's first load.
    virtual void begin_epoch(std::size_t epoch) = 0;
    /// Fills `batch`, which has room for batch_size(step) images. Neither allocates nor throws.
    virtual void load(std::size_t step, Batch& batch) = 0;
};

}  // namespace dp::core
