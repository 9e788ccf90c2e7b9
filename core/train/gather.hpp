// What workers tell each other besides gradients: figures from each, in the order of ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/exchange/gradient_exchange.hpp"
#include "core/nn/step.hpp"

namespace dp::core {

/// Returns the `mine` of `workers` workers, equally long on each, in their order. Collective.
template <typename T>
std::vector<T> gather(GradientExchange& exchange, std::span<const T> mine, std::size_t workers) {
    std::vector<T> all(mine.size() * workers);
    exchange.all_gather(std::as_bytes(mine), std::as_writable_bytes(std::span(all)));
    return all;
}

/// Returns once all of `workers` workers have called it.
void meet(GradientExchange& exchange, std::size_t workers);

/// Sums over the images one rank has seen; travels between ranks as bytes.
struct ImageSums {
    double loss = 0.0;
    std::uint64_t correct = 0;
    std::uint64_t images = 0;

    void add(const BatchResult& batch, std::size_t size) {
        loss += batch.loss_sum;
        correct += batch.correct;
        images += size;
    }
    [[nodiscard]] double mean_loss() const { return images == 0 ? 0.0 : loss / as_double(images); }
    [[nodiscard]] double accuracy() const {
        return images == 0 ? 0.0 : as_double(correct) / as_double(images);
    }
    static double as_double(std::uint64_t count) { return static_cast<double>(count); }
};

/// Returns the sum over all ranks of `workers` workers, of which this one's are `mine`. Adds in the
/// order of ranks, so that every rank and every mode has the same bits. Collective.
ImageSums sum_over_ranks(GradientExchange& exchange, std::span<const ImageSums> mine,
                         std::size_t workers);

}  // namespace dp::core
