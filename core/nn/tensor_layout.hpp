// Where each tensor lies in a flat block, and in which layout. A block is kept as the primitives
// want it (blocked by channels, padded) and turned into PyTorch's plain layout only at load, save
// and report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/nn/model.hpp"
#include "core/nn/network_options.hpp"

namespace dp::core {

/// A named tensor in PyTorch's plain layout: OIHW, (out, in) or (C).
struct NamedTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// A tensor's place in its flat block.
struct TensorRange {
    std::string name;                 // as in PyTorch's state_dict, "conv1.weight"
    std::vector<std::int64_t> shape;  // plain
    std::size_t offset = 0;           // floats from the block's start, a multiple of 16
    std::size_t size = 0;             // floats it takes, padding included, a multiple of 16
    std::size_t elements = 0;         // floats that count
    std::size_t fan_in = 0;  // inputs of one output of the layer; 0 for batch norm's tensors
};

/// The tensors of one flat block, in PyTorch's order.
/// Thread safety: const after construction; any thread may call any function.
class TensorLayout {
public:
    TensorLayout();
    TensorLayout(TensorLayout&&) noexcept;
    TensorLayout& operator=(TensorLayout&&) noexcept;
    ~TensorLayout();

    [[nodiscard]] std::span<const TensorRange> tensors() const { return tensors_; }
    /// Floats of the whole block.
    [[nodiscard]] std::size_t size() const { return size_; }
    /// Floats that count: the sum of all tensors' elements.
    [[nodiscard]] std::size_t elements() const;
    /// Index of the tensor called `name`; a DP_CHECK fails when there is none.
    [[nodiscard]] std::size_t find(std::string_view name) const;

    /// The values of tensor `index` of `block` (size() floats), in plain order.
    [[nodiscard]] NamedTensor to_plain(std::span<const float> block, std::size_t index) const;
    /// Writes `values` (plain order, tensors()[index].elements floats) into `block`; padding
    /// becomes 0.
    void from_plain(std::span<const float> values, std::size_t index, std::span<float> block) const;

private:
    friend class LayoutAccess;  // core/nn only: the oneDNN descriptor behind each tensor
    struct Descriptors;

    std::vector<TensorRange> tensors_;
    std::size_t size_ = 0;
    std::unique_ptr<Descriptors> descriptors_;
};

/// The two blocks of a network: what the optimizer updates, and batch norm's running statistics
/// (running_mean, running_var).
struct NetworkLayout {
    TensorLayout parameters;
    TensorLayout statistics;
    NetworkOptions options;
};

/// The layout oneDNN prefers for `model` on this CPU with batches of `batch_size` images, for a
/// network with these `options`. The calling thread must have set its OpenMP thread count to what
/// the workers use: oneDNN's choice depends on it.
NetworkLayout plan_layout(const ModelSpec& model, std::size_t batch_size,
                          const NetworkOptions& options = {});

}  // namespace dp::core
