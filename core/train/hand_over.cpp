#include "core/train/hand_over.hpp"

#include "core/exchange/sum_tree.hpp"

namespace dp::core {

void sum_as_tree(std::span<float* const> blocks, Range bucket) {
    sum_tree(blocks, bucket, blocks[0]);
}

HandOver::HandOver(GradientExchange& exchange, const WorkerBlocks& blocks)
    : exchange_(exchange), sum_(blocks.sum_ranks) {
    for (const RankBlocks& rank : blocks.ranks) gradients_.push_back(rank.gradients.data());
}

void HandOver::begin_step(LayerObserver* observer) {
    observer_ = observer;
    count_ = 0;
}

void HandOver::on_gradients(std::size_t offset) {
    if (offset == 0) return;  // backward has ended: what is left now is not hidden behind it
    const auto buckets = exchange_.buckets();
    std::size_t count = count_;
    while (count < buckets.size() && buckets[count].offset >= offset) ++count;
    complete(count);
    exchange_.hand_over(count);
    exchange_.progress();
}

void HandOver::complete(std::size_t count) {
    const bool sums = gradients_.size() > 1 && count_ < count;
    if (sums && observer_ != nullptr) observer_->on_layer_begin("sum of ranks");
    for (; count_ < count; ++count_) {
        if (sums) sum_(gradients_, exchange_.buckets()[count_]);
    }
    if (sums && observer_ != nullptr) observer_->on_layer_end();
}

}  // namespace dp::core
