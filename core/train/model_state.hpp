// A network's flat blocks to and from what outlives a run: initial values, checkpoints, the
// checksum.
#pragma once

#include <cstdint>
#include <span>

#include "core/checkpoint/checkpoint.hpp"
#include "core/nn/tensor_layout.hpp"
#include "core/train/job.hpp"

namespace dp::core {

/// Fills `parameters` (layout.parameters.size() floats) from job.initial, or from the seed when
/// that is null. job.initial must have passed check_matches.
void fill_parameters(const Job& job, const NetworkLayout& layout, std::span<float> parameters);

/// The same for `statistics`, after fill_parameters has checked job.initial.
void fill_statistics(const Job& job, const NetworkLayout& layout, std::span<float> statistics);

/// Every parameter and running statistic in plain layout, in the order of PyTorch's state_dict.
StateDict to_state_dict(const NetworkLayout& layout, std::span<const float> parameters,
                        std::span<const float> statistics);

/// Writes job.config.save, a checkpoint of what `job` has trained: the blocks, and how many batches
/// they have seen. Throws Error(kData) as save_checkpoint does.
void save_model(const Job& job, const NetworkLayout& layout, std::span<const float> parameters,
                std::span<const float> statistics, std::size_t batches_tracked);

/// A hash of every parameter's bits in plain order, whatever their layout: equal parameters have
/// equal ones, different parameters different ones but for a chance of 2^-64.
std::uint64_t parameter_checksum(const TensorLayout& layout, std::span<const float> parameters);

}  // namespace dp::core
