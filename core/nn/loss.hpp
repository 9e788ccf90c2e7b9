// Softmax cross-entropy over plain logits.
#pragma once

#include <cstdint>
#include <span>

#include "core/data/dataset.hpp"
#include "core/nn/step.hpp"

namespace dp::core {

/// Sums the cross-entropy of `logits` (N, kClasses) against `labels` (N) and counts the images
/// whose largest logit is their label's (the first of equals, as PyTorch's argmax). When
/// `diff_logits` is not empty it becomes the gradient of the batch's mean loss. Neither allocates
/// nor throws.
BatchResult softmax_cross_entropy(std::span<const float> logits,
                                  std::span<const std::int32_t> labels,
                                  std::span<float> diff_logits);

}  // namespace dp::core
