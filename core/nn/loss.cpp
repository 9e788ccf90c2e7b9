#include "core/nn/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dp::core {

BatchResult softmax_cross_entropy(std::span<const float> logits,
                                  std::span<const std::int32_t> labels,
                                  std::span<float> diff_logits) {
    BatchResult result;
    const float mean = 1.F / static_cast<float>(labels.size());
    for (std::size_t n = 0; n < labels.size(); ++n) {
        const auto row = logits.subspan(n * kClasses, kClasses);
        const auto label = static_cast<std::size_t>(labels[n]);
        const auto largest = std::ranges::max_element(row);
        result.correct += static_cast<std::size_t>(largest - row.begin()) == label ? 1 : 0;

        std::array<float, kClasses> exponential{};
        float sum = 0.F;
        for (std::size_t k = 0; k < kClasses; ++k) {
            exponential[k] = std::exp(row[k] - *largest);
            sum += exponential[k];
        }
        result.loss_sum += static_cast<double>(std::log(sum) - (row[label] - *largest));
        if (diff_logits.empty()) continue;
        for (std::size_t k = 0; k < kClasses; ++k) {
            const float target = k == label ? 1.F : 0.F;
            diff_logits[n * kClasses + k] = (exponential[k] / sum - target) * mean;
        }
    }
    return result;
}

}  // namespace dp::core
