// The networks: each a row of a constexpr table, each layer a row of its network's list. The table
// feeds the command line, the help and the tests; the layers are written as a textbook would, and
// Network fuses them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/data/dataset.hpp"

namespace dp::core {

enum class LayerKind { kConvolution, kBatchNorm, kRelu, kMaxPool, kLinear, kDropout };

/// One layer. `outputs`: channels of a convolution, features of a linear layer. `kernel`: the side
/// of a square window; a convolution's stride is 1, a pool's equals its kernel.
struct LayerSpec {
    LayerKind kind;
    std::string_view
        name;  // prefix of its tensors' names, as in PyTorch's state_dict; may be empty
    std::size_t outputs = 0;
    std::size_t kernel = 0;
    std::size_t padding = 0;
};

struct ModelSpec {
    std::string_view name;
    std::string_view description;
    ImageShape input;
    std::span<const LayerSpec> layers;
    std::size_t parameters;  // weights and biases, checked by a test
};

/// Every network, in the order of the help text.
std::span<const ModelSpec> models();

/// The network called `name`. Throws Error(kUsage) that lists the names.
const ModelSpec& find_model(std::string_view name);

}  // namespace dp::core
