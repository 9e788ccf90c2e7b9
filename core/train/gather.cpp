#include "core/train/gather.hpp"

namespace dp::core {

static_assert(sizeof(ImageSums) <= kMaxGatherBytes);

void meet(GradientExchange& exchange, std::size_t workers) {
    const std::uint64_t here = 0;
    gather(exchange, std::span(&here, 1), workers);
}

ImageSums sum_over_ranks(GradientExchange& exchange, std::span<const ImageSums> mine,
                         std::size_t workers) {
    std::vector<ImageSums> all(mine.size() * workers);
    for (std::size_t i = 0; i < mine.size(); ++i) {  // all at once may be too long to gather
        const std::vector<ImageSums> each = gather(exchange, mine.subspan(i, 1), workers);
        for (std::size_t w = 0; w < workers; ++w) all[w * mine.size() + i] = each[w];
    }
    ImageSums sum;
    for (const ImageSums& rank : all) {
        sum.loss += rank.loss;
        sum.correct += rank.correct;
        sum.images += rank.images;
    }
    return sum;
}

}  // namespace dp::core
