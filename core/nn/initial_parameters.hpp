// A network's first parameters and running statistics, the same on every rank for the same seed.
#pragma once

#include <cstdint>
#include <span>

#include "core/nn/tensor_layout.hpp"

namespace dp::core {

/// Fills `parameters` as PyTorch's layers start: weights and biases of convolutions and linear
/// layers from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), batch norm's weight 1 and bias 0. Tensor k,
/// plain index i draws number i of stream (seed, k): the values do not depend on oneDNN's layout.
/// Source: torch.nn.Conv2d and Linear, kaiming_uniform_ with a = sqrt(5) (He et al., 2015).
void fill_initial_parameters(const TensorLayout& layout, std::uint64_t seed,
                             std::span<float> parameters);

/// Fills `statistics`: running_mean 0, running_var 1.
void fill_initial_statistics(const TensorLayout& layout, std::span<float> statistics);

}  // namespace dp::core
