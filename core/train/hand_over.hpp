// From backward to the exchange.
#pragma once

#include <cstddef>

#include "core/exchange/gradient_exchange.hpp"
#include "core/nn/step.hpp"

namespace dp::core {

/// Hands buckets over as soon as backward has completed their gradients, and lets the exchange
/// advance between layers.
class HandOver final : public GradientsReady {
public:
    explicit HandOver(GradientExchange& exchange) : exchange_(exchange) {}

    void begin_step() { count_ = 0; }
    void on_gradients(std::size_t offset) override {
        if (offset == 0) return;  // backward has ended: what is left now is not hidden behind it
        const auto buckets = exchange_.buckets();
        while (count_ < buckets.size() && buckets[count_].offset >= offset) ++count_;
        exchange_.hand_over(count_);
        exchange_.progress();
    }

private:
    GradientExchange& exchange_;
    std::size_t count_ = 0;  // of this step
};

}  // namespace dp::core
