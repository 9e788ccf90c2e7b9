#include "core/train/gather.hpp"

namespace dp::core {

static_assert(sizeof(ImageSums) <= kMaxGatherBytes);

void meet(GradientExchange& exchange, std::size_t workers) {
    const std::uint64_t here = 0;
    gather(exchange, std::span(&here, 1), workers);
}

ImageSums sum_over_ranks(GradientExchange& exchange, std::span<const ImageSums> mine,
                         std::size_t workers) {
    ImageSums sum;
    for (const ImageSums& rank : gather(exchange, mine, workers)) {
        sum.loss += rank.loss;
        sum.correct += rank.correct;
        sum.images += rank.images;
    }
    return sum;
}

}  // namespace dp::core
