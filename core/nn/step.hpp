// What a network and its layers say to each other and to those who run them, step by step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace dp::core {

/// The key of dropout's masks, which are a function of (seed, epoch, step, sample, unit): equal
/// however work is split.
struct DropoutKey {
    float probability = 0.F;  // of a unit being zeroed, in [0, 1)
    std::uint64_t seed = 0;
    std::uint64_t epoch = 0;
    std::uint64_t step = 0;
};

/// Sums over the images of a batch.
struct BatchResult {
    double loss_sum = 0.0;  // softmax cross-entropy, natural logarithm
    std::size_t correct = 0;
};

/// One primitive of a training step: which implementation oneDNN chose for one pass of a layer.
struct PrimitiveInfo {
    std::string layer;
    std::string
        pass;  // forward, backward, backward_data, backward_weights, backward_relu, reorder*
    std::string implementation;  // oneDNN's name, or "own" for a loop of ours
    std::size_t batch_size = 0;
    std::function<void()> run;  // executes it alone, on whatever its tensors hold
};

/// Hears of gradients while backward is under way, on its thread.
class GradientsReady {
public:
    virtual ~GradientsReady() = default;
    /// A layer's backward has ended: the gradients from float `offset` to the block's end are
    /// complete. Offsets never rise within a backward; the last one is 0.
    virtual void on_gradients(std::size_t offset) = 0;
};

/// Hears of layers as they run, on their thread. The loss counts as forward's last one.
class LayerObserver {
public:
    virtual ~LayerObserver() = default;
    /// A layer's forward or backward begins. `name` lives as long as the network.
    virtual void on_layer_begin(std::string_view name) = 0;
    /// The same one has ended.
    virtual void on_layer_end() = 0;
};

}  // namespace dp::core
