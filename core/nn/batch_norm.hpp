// What both implementations of batch norm share: PyTorch's constants and its running statistics.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace dp::core {

inline constexpr float kBatchNormEpsilon = 1e-5F;
/// Share of the new batch in the running statistics.
inline constexpr float kBatchNormMomentum = 0.1F;

/// Moves running statistics towards those of a batch of `values` values per channel (2 or more):
/// the biased `batch_variance` becomes unbiased on the way, as in PyTorch.
inline void move_running_statistics(std::span<const float> batch_mean,
                                    std::span<const float> batch_variance, float values,
                                    float* running_mean, float* running_variance) {
    const auto move = [](float& running, float batch) {
        running = kBatchNormMomentum * batch + (1.F - kBatchNormMomentum) * running;
    };
    const float unbiased = values / (values - 1.F);
    for (std::size_t c = 0; c < batch_mean.size(); ++c) {
        move(running_mean[c], batch_mean[c]);
        move(running_variance[c], unbiased * batch_variance[c]);
    }
}

/// Makes the gradient of the scale NaN where the running variance is not finite. The values behind
/// it have overflowed; normalised by it they are zeros, and training would go on without them.
inline void spoil_overflown(std::span<const float> running_variance, float* diff_scale) {
    for (std::size_t c = 0; c < running_variance.size(); ++c) {
        if (std::isfinite(running_variance[c])) continue;
        diff_scale[c] = std::numeric_limits<float>::quiet_NaN();
    }
}

}  // namespace dp::core
