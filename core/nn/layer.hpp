// A layer as oneDNN primitives, for one batch size. For core/nn alone.
//
// A layer is built in two steps. Construction asks oneDNN for primitive descriptors: cheap, no
// memory. After the network has planned where activations lie, bind() creates the primitives and
// fixes their arguments, so that forward and backward only execute. Who owns what:
//   the Network's arena, lent through bind(): activations, their gradients, scratchpad
//   the backend's flat blocks, lent through bind_blocks(): weights, their gradients, running
//     statistics
//   the layer: what only it needs (batch statistics, pool indices, reordered weights)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/nn/model.hpp"
#include "core/nn/network_options.hpp"
#include "core/nn/onednn_compat.hpp"
#include "core/nn/step.hpp"
#include "core/nn/tensor_layout.hpp"

namespace dp::core {

/// What all layers of a network share.
struct LayerContext {
    dnnl::engine engine;
    std::size_t batch_size = 0;
    bool training = false;  // backward is wanted too
    NetworkOptions options;

    /// The type of activations.
    [[nodiscard]] dnnl::memory::data_type data_type() const {
        return options.precision == Precision::kBFloat16 ? dnnl::memory::data_type::bf16
                                                         : dnnl::memory::data_type::f32;
    }
};

/// A tensor that a layer keeps in a flat block, in the layout that its primitives want.
struct TensorSlot {
    std::string name;                 // "conv1.weight"
    std::vector<std::int64_t> shape;  // as PyTorch says it
    std::size_t fan_in = 0;
    onednn::Desc desc;
};

/// Memory lent to a layer for one batch size. `diff_src` is empty where nobody needs it.
struct LayerMemory {
    dnnl::memory src, dst, diff_src, diff_dst;
    std::byte* scratchpad = nullptr;  // as long as the network's largest scratchpad_bytes()
    std::byte* state = nullptr;       // state_bytes() that last from forward to its backward
};

/// Addresses of a layer's slots, in the order of parameters() and statistics().
struct LayerBlocks {
    std::span<float* const> parameters;
    std::span<float* const> gradients;  // empty for evaluation alone
    std::span<float* const> statistics;
};

/// What a layer is told of one forward or backward. A layer reads what a primitive has written
/// without waiting for the stream: oneDNN's CPU streams of the OpenMP runtime, the only ones used
/// here, execute a primitive before they return. With another runtime every layer that computes
/// something of its own would have to call stream.wait() first.
struct StepContext {
    const dnnl::stream& stream;
    bool training = false;
    DropoutKey dropout;
    std::span<const std::uint32_t> samples;  // of the batch's images; empty unless training
};

/// A primitive with its arguments, executed without allocating.
class BoundPrimitive {
public:
    using Arguments = std::vector<std::pair<int, dnnl::memory>>;

    BoundPrimitive() = default;
    /// Adds the scratchpad that `desc` asks for to `arguments`: `scratchpad`, or when null its own.
    BoundPrimitive(const dnnl::primitive_desc_base& desc, dnnl::primitive primitive,
                   std::byte* scratchpad, Arguments arguments);

    /// False when default-constructed: there is nothing to execute.
    explicit operator bool() const { return !arguments_.empty(); }
    /// Does nothing when default-constructed.
    void execute(const dnnl::stream& stream) const;
    /// Executes it on a stream of its own and waits; borrows this object.
    [[nodiscard]] std::function<void()> alone() const;

private:
    dnnl::primitive primitive_;
    Arguments memories_;  // own what `arguments_` points at
    std::vector<dnnl_exec_arg_t> arguments_;
};

/// Copies `from` to `to`, of the same shape, with a scratchpad of its own.
BoundPrimitive reorder(const dnnl::memory& from, const dnnl::memory& to);

class Layer {
public:
    virtual ~Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] virtual onednn::Desc src_desc() const = 0;
    [[nodiscard]] virtual onednn::Desc dst_desc() const = 0;
    /// The layout of the gradient of dst.
    [[nodiscard]] virtual onednn::Desc diff_dst_desc() const { return dst_desc(); }
    /// True when backward reads forward's source (destination), which must then outlive forward.
    [[nodiscard]] virtual bool keeps_src() const { return false; }
    [[nodiscard]] virtual bool keeps_dst() const { return false; }
    /// True when backward can write diff_src over src.
    [[nodiscard]] virtual bool overwrites_src() const { return false; }
    [[nodiscard]] virtual std::size_t scratchpad_bytes() const { return 0; }
    /// Bytes that forward keeps for backward beside src and dst.
    [[nodiscard]] virtual std::size_t state_bytes() const { return 0; }
    /// Weights and biases.
    [[nodiscard]] virtual std::vector<TensorSlot> parameters() const { return {}; }
    /// Running statistics.
    [[nodiscard]] virtual std::vector<TensorSlot> statistics() const { return {}; }
    /// Appends what training executes. Called after bind().
    virtual void describe(std::vector<PrimitiveInfo>& out) = 0;

    /// Creates the primitives. Called once.
    virtual void bind(const LayerMemory& memory) = 0;
    virtual void bind_blocks(const LayerBlocks& /*blocks*/) {}

    virtual void forward(const StepContext& step) = 0;
    virtual void backward(const StepContext& step) = 0;

protected:
    Layer(std::string_view name, LayerContext context)
        : name_(name), context_(std::move(context)) {}

    [[nodiscard]] const LayerContext& context() const { return context_; }
    [[nodiscard]] PrimitiveInfo info(std::string_view pass, const char* implementation,
                                     std::function<void()> run) const {
        return {name_, std::string(pass), implementation, context_.batch_size, std::move(run)};
    }

private:
    std::string name_;
    LayerContext context_;
};

// One function per kind. `src` is the layout of the layer's source; `weights` the layout of its
// weights in the parameter block, or null while that is still oneDNN's to choose; `relu` fuses a
// ReLU behind it; the `last` layer's destination, the logits, is float32 in every precision.

std::unique_ptr<Layer> make_convolution(const LayerSpec& spec, const LayerContext& context,
                                        const onednn::Desc& src, const onednn::Desc* weights,
                                        bool relu);
std::unique_ptr<Layer> make_linear(const LayerSpec& spec, const LayerContext& context,
                                   const onednn::Desc& src, const onednn::Desc* weights, bool relu,
                                   bool last);
std::unique_ptr<Layer> make_batch_norm(const LayerSpec& spec, const LayerContext& context,
                                       const onednn::Desc& src, bool relu);
/// Batch norm, ReLU and max pool as one layer of our own. can_fuse_batch_norm_pool says whether
/// `src` and the pool's `kernel` allow it.
bool can_fuse_batch_norm_pool(const onednn::Desc& src, std::size_t kernel);
std::unique_ptr<Layer> make_batch_norm_pool(const LayerSpec& spec, const LayerContext& context,
                                            const onednn::Desc& src);
std::unique_ptr<Layer> make_max_pool(const LayerSpec& spec, const LayerContext& context,
                                     const onednn::Desc& src);
std::unique_ptr<Layer> make_dropout(const LayerContext& context, const onednn::Desc& src);

/// The layers of `model` in order, for one batch size; several rows of its list may become one
/// layer. `parameters` is null while it is being planned. Throws Error(kUsage) that names network
/// and layer where a row cannot be computed: a ReLU that nothing takes in, dropout on images,
/// images expected where there are features, a first layer without weights, a last layer that is
/// not one output a class.
std::vector<std::unique_ptr<Layer>> make_layers(const ModelSpec& model, const LayerContext& context,
                                                const TensorLayout* parameters);

/// The descriptors behind a TensorLayout.
class LayoutAccess {
public:
    static TensorLayout make(const std::vector<TensorSlot>& slots);
    static const onednn::Desc& desc(const TensorLayout& layout, std::size_t index);
};

/// True for oneDNN's plain C++ fallbacks, up to thousands of times slower than its generated code.
bool is_reference(std::string_view implementation);

/// Throws Error(kRunFailed) when oneDNN found no implementation for `layer`.
void check_found(const dnnl::primitive_desc_base& desc, const std::string& layer);

/// A memory object whose address is set later by set_data_handle.
inline dnnl::memory borrowed_memory(const onednn::Desc& desc, const dnnl::engine& engine) {
    return {desc, engine, DNNL_MEMORY_NONE};
}

}  // namespace dp::core
