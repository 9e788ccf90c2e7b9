// From backward to the exchange. A worker may play several ranks in turn, whose gradients it sums
// itself, bucket by bucket, as they become complete in the backward of the last of them; to the
// exchange it is one rank, whose gradients are that sum.
#pragma once

#include <cstddef>
#include <vector>

#include "core/exchange/gradient_exchange.hpp"
#include "core/nn/step.hpp"
#include "core/train/worker_blocks.hpp"

namespace dp::core {

/// Hands buckets over as soon as backward has completed their gradients, and lets the exchange
/// advance between layers.
class HandOver final : public GradientsReady {
public:
    /// `exchange` reads the gradients of the first of `blocks`' ranks.
    HandOver(GradientExchange& exchange, const WorkerBlocks& blocks);

    /// `observer` hears of the sums in this step; may be null.
    void begin_step(LayerObserver* observer);
    /// In the backward of the last rank.
    void on_gradients(std::size_t offset) override;
    /// On input: all gradients of all ranks are complete. On output: the first block holds their
    /// sum, and what is not yet handed over may be.
    void complete() { complete(exchange_.buckets().size()); }

private:
    void complete(std::size_t count);

    GradientExchange& exchange_;
    const SumRanks& sum_;
    std::vector<float*> gradients_;  // of each rank
    LayerObserver* observer_ = nullptr;
    std::size_t count_ = 0;  // buckets of this step that are complete
};

}  // namespace dp::core
