// The two batch sources over a data set in memory: training (shuffled, padded, perhaps augmented)
// and evaluation (in order, each image once). Both borrow the Dataset, which must outlive them, and
// write to the caller's Batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/data/batch_source.hpp"
#include "core/data/dataset.hpp"

namespace dp::core {

struct TrainingSourceOptions {
    std::size_t rank = 0;
    std::size_t world_size = 1;
    std::size_t batch_size = 128;  // per rank
    std::uint64_t seed = 0;        // equal on every rank
    bool shuffle = true;
    bool augment = false;                    // random crop with zero padding of 4, random flip
    std::optional<std::size_t> steps_limit;  // ends each epoch after so many steps; may be 0
};

/// The share of `data.train` that DistributedSampler gives to options.rank. The last batch is
/// short where the batch size does not divide the share. Augmentation is keyed by (seed, epoch,
/// image), so that it does not depend on how work is split. Requires rank < world_size and
/// batch_size > 0. The source belongs to one thread.
[[nodiscard]] std::unique_ptr<BatchSource> make_training_source(
    const Dataset& data, const TrainingSourceOptions& options);

/// The images of `data.test` in evaluation_range(): ranks may differ in steps by one. Requires rank
/// < world_size and batch_size > 0. The source belongs to one thread.
[[nodiscard]] std::unique_ptr<BatchSource> make_evaluation_source(const Dataset& data,
                                                                  std::size_t rank,
                                                                  std::size_t world_size,
                                                                  std::size_t batch_size);

}  // namespace dp::core
