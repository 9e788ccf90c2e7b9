#include "core/nn/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/parallel.hpp"

namespace dp::core {
namespace {

/// One image's loss; writes its row of the gradient unless that is empty.
double row_loss(std::span<const float> row, std::size_t label, float mean, std::span<float> diff) {
    const float largest = *std::ranges::max_element(row);
    std::array<float, kClasses> exponential{};
    float sum = 0.F;
    for (std::size_t k = 0; k < kClasses; ++k) {
        exponential[k] = std::exp(row[k] - largest);
        sum += exponential[k];
    }
    for (std::size_t k = 0; k < diff.size(); ++k) {
        const float target = k == label ? 1.F : 0.F;
        diff[k] = (exponential[k] / sum - target) * mean;
    }
    return static_cast<double>(std::log(sum) - (row[label] - largest));
}

}  // namespace

BatchResult softmax_cross_entropy(std::span<const float> logits,
                                  std::span<const std::int32_t> labels,
                                  std::span<float> diff_logits) {
    const float mean = 1.F / static_cast<float>(labels.size());
    const auto row_of = [](auto block, std::size_t n) {
        return block.empty() ? block : block.subspan(n * kClasses, kClasses);
    };
    BatchResult result;
    std::array<double, 256> losses{};  // added in the images' order, whatever the threads
    for (std::size_t begin = 0; begin < labels.size(); begin += losses.size()) {
        const std::size_t count = std::min(losses.size(), labels.size() - begin);
        parallel_parts(count, [&](std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i) {
                const std::size_t n = begin + i;
                losses[i] = row_loss(row_of(logits, n), static_cast<std::size_t>(labels[n]), mean,
                                     row_of(diff_logits, n));
            }
        });
        for (std::size_t i = 0; i < count; ++i) {
            const auto row = row_of(logits, begin + i);
            const auto best = std::ranges::max_element(row) - row.begin();
            result.correct += best == labels[begin + i] ? 1 : 0;
            result.loss_sum += losses[i];
        }
    }
    return result;
}

}  // namespace dp::core
