// A network on oneDNN primitives, for one worker. It borrows its parameters, gradients and running
// statistics as flat blocks, so that the backend decides where they live, and owns its activations,
// which it touches first on the thread that constructs it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/data/batch_source.hpp"
#include "core/nn/model.hpp"
#include "core/nn/step.hpp"
#include "core/nn/tensor_layout.hpp"

namespace dp::core {

/// The flat blocks a network works on, each as long as its layout says.
struct NetworkBlocks {
    std::span<float> parameters;  // read by forward and backward
    std::span<float> gradients;   // overwritten by backward; may be empty for evaluation alone
    std::span<float> statistics;  // updated by training's forward, read by evaluation's
};

/// Thread safety: one object belongs to one thread, from construction to destruction (a primitive
/// remembers the thread count it was created under). That thread must have called
/// omp_set_num_threads(threads per worker).
class Network {
public:
    /// Builds primitives for every size in `training_sizes` and `evaluation_sizes` (images per
    /// batch, no zeros). `layout` must come from plan_layout for the same model and outlive the
    /// network.
    Network(const ModelSpec& model, const NetworkLayout& layout,
            std::span<const std::size_t> training_sizes,
            std::span<const std::size_t> evaluation_sizes);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    /// Points every primitive at these blocks; they must outlive the next forward or backward.
    void bind(const NetworkBlocks& blocks);

    /// The place of the next batch, (N, C, H, W), with room for the largest batch size; valid until
    /// the network dies.
    [[nodiscard]] std::span<float> input() const;

    /// Forward in training mode: batch statistics, dropout, running statistics updated.
    /// `batch.images` must be input(). Returns the loss and the hits before this step's update.
    /// `observer`, here and in backward, may be null.
    BatchResult forward(const Batch& batch, const DropoutKey& dropout,
                        LayerObserver* observer = nullptr);

    /// Gradients of the mean loss of the last forward's batch, into the bound gradient block; last
    /// layer first, each reported to `ready` unless that is null.
    void backward(GradientsReady* ready = nullptr, LayerObserver* observer = nullptr);

    /// Forward in evaluation mode: running statistics, no dropout.
    BatchResult evaluate(const Batch& batch);

    /// Logits (N, kClasses) of the last forward or evaluate.
    [[nodiscard]] std::span<const float> logits() const;

    /// The primitives of all training sizes, in the order of layers; they borrow this network.
    [[nodiscard]] std::vector<PrimitiveInfo> primitives();
    /// Bytes of activations, their gradients and scratch memory; without what a layer keeps for
    /// itself, reordered weights and the float32 copies of one bfloat16 pass.
    [[nodiscard]] std::size_t activation_bytes() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace dp::core
