// Convolution and linear layers: forward, backward by data and backward by weights around one
// weight tensor.
//
// The weights lie in the parameter block in the layout that forward prefers. A pass that would fall
// back to a reference implementation in that layout gets a reordered copy of its own instead
// (direct convolution's backward by data wants its two 16-channel blocks swapped), so that such a
// reorder is the only one there is.
//
// In bfloat16 every pass that reads weights works on a copy that is converted and reordered at
// once, and backward by weights writes float32 in the block's layout. The logits are float32, but
// their gradient is bfloat16: oneDNN has no backward of mixed types. Where a float32 backward by
// weights is faster all the same, it reads float32 copies.
#include <functional>
#include <numeric>
#include <utility>

#include "core/base/error.hpp"
#include "core/nn/convolution_algorithms.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using dnnl::memory;
using onednn::Desc;
using onednn::Dims;
using Tag = memory::format_tag;

constexpr auto kF32 = memory::data_type::f32;

struct ConvolutionOps {
    using Forward = dnnl::convolution_forward;
    using BackwardData = dnnl::convolution_backward_data;
    using BackwardWeights = dnnl::convolution_backward_weights;

    onednn::WindowDims window;
    ConvolutionAlgorithm choice;

    auto forward(const dnnl::engine& engine, const Desc& src, const Desc& weights, const Desc& bias,
                 const Desc& dst, bool relu) const {
        return with_chosen_algorithm(
            onednn::dims_of(weights), choice, [&](dnnl::algorithm algorithm) {
                return onednn::convolution_forward(engine, algorithm, src, weights, bias, dst,
                                                   window, relu);
            });
    }
    auto backward_data(const dnnl::engine& engine, const Desc& diff_src, const Desc& weights,
                       const Desc& diff_dst, const Forward::primitive_desc& hint) const {
        return with_chosen_algorithm(
            onednn::dims_of(weights), choice, [&](dnnl::algorithm algorithm) {
                return onednn::convolution_backward_data(engine, algorithm, diff_src, weights,
                                                         diff_dst, window, hint);
            });
    }
    auto backward_weights(const dnnl::engine& engine, const Desc& src, const Desc& diff_weights,
                          const Desc& diff_bias, const Desc& diff_dst,
                          const Forward::primitive_desc& hint) const {
        return with_chosen_algorithm(
            onednn::dims_of(diff_weights), choice, [&](dnnl::algorithm algorithm) {
                return onednn::convolution_backward_weights(engine, algorithm, src, diff_weights,
                                                            diff_bias, diff_dst, window, hint);
            });
    }
};

/// The float32 backward by weights that is faster than bfloat16's own, conversions included; empty
/// where there is none.
dnnl::convolution_backward_weights::primitive_desc float_backward_weights(
    const ConvolutionOps& ops, const dnnl::engine& engine, const Desc& src,
    const Desc& diff_weights, const Desc& diff_bias, const Desc& dst) {
    if (!prefers_float_backward_weights(onednn::dims_of(diff_weights), ops.choice)) return {};
    const auto as_float = [](const Desc& desc) {
        return Desc(onednn::dims_of(desc), kF32, Tag::any);
    };
    constexpr auto kWinograd = dnnl::algorithm::convolution_winograd;
    const auto hint =
        onednn::convolution_forward(engine, kWinograd, as_float(src), as_float(diff_weights),
                                    diff_bias, as_float(dst), ops.window, /*relu=*/false);
    if (!hint) return {};
    return onednn::convolution_backward_weights(engine, kWinograd, as_float(src), diff_weights,
                                                diff_bias, as_float(dst), ops.window, hint);
}

struct LinearOps {
    using Forward = dnnl::inner_product_forward;
    using BackwardData = dnnl::inner_product_backward_data;
    using BackwardWeights = dnnl::inner_product_backward_weights;

    auto forward(const dnnl::engine& engine, const Desc& src, const Desc& weights, const Desc& bias,
                 const Desc& dst, bool relu) const {
        return onednn::inner_product_forward(engine, src, weights, bias, dst, relu);
    }
    auto backward_data(const dnnl::engine& engine, const Desc& diff_src, const Desc& weights,
                       const Desc& diff_dst, const Forward::primitive_desc& hint) const {
        return onednn::inner_product_backward_data(engine, diff_src, weights, diff_dst, hint);
    }
    auto backward_weights(const dnnl::engine& engine, const Desc& src, const Desc& diff_weights,
                          const Desc& diff_bias, const Desc& diff_dst,
                          const Forward::primitive_desc& hint) const {
        return onednn::inner_product_backward_weights(engine, src, diff_weights, diff_bias,
                                                      diff_dst, hint);
    }
};

dnnl::inner_product_backward_weights::primitive_desc float_backward_weights(
    const LinearOps& /*ops*/, const dnnl::engine& /*engine*/, const Desc& /*src*/,
    const Desc& /*diff_weights*/, const Desc& /*diff_bias*/, const Desc& /*dst*/) {
    return {};
}

/// The primitive that works on weights as they lie in the block, unless only a reference one does.
template <typename Make, typename WeightsOf>
auto choose(const std::string& layer, const Desc& any, const Desc* stored, const Make& make,
            const WeightsOf& weights_of) {
    auto preferred = make(any);
    check_found(preferred, layer);
    if (stored == nullptr || weights_of(preferred) == *stored) return preferred;
    auto as_stored = make(*stored);
    return as_stored && !is_reference(as_stored.impl_info_str()) ? as_stored : preferred;
}

/// src (N, I...) -> dst (N, O...); weights (O, I...), bias (O).
template <typename Ops>
class WeightedLayer final : public Layer {
public:
    struct Geometry {
        Dims weights;
        Desc dst;                                 // of forward
        Desc diff_dst;                            // differs from it in type alone
        std::vector<std::int64_t> weights_shape;  // as PyTorch says it
    };

    WeightedLayer(std::string_view name, const LayerContext& layer_context, Ops ops,
                  const Desc& src, const Geometry& geometry, const Desc* stored_weights, bool relu)
        : Layer(name, layer_context),
          weights_shape_(geometry.weights_shape),
          bias_desc_({geometry.weights[0]}, kF32, Tag::a),
          relu_(relu) {
        const dnnl::engine& engine = context().engine;
        const Desc any(geometry.weights, onednn::data_type_of(src), Tag::any);
        const Desc any_diff(geometry.weights, kF32, Tag::any);
        const auto weights_of = [](const auto& desc) { return desc.weights_desc(); };
        forward_desc_ = choose(
            this->name(), any, stored_weights,
            [&](const Desc& weights) {
                return ops.forward(engine, src, weights, bias_desc_, geometry.dst, relu);
            },
            weights_of);
        forward_hint_ = forward_desc_;
        if (context().training && geometry.diff_dst != geometry.dst) {
            forward_hint_ = ops.forward(engine, src, any, bias_desc_, geometry.diff_dst, relu);
        }
        weights_desc_ = stored_weights != nullptr ? *stored_weights : forward_desc_.weights_desc();
        if (!context().training) return;
        const Desc dst = forward_hint_.dst_desc();
        const bool copies = onednn::data_type_of(any) != kF32;
        const Desc shared = copies ? forward_desc_.weights_desc() : weights_desc_;
        backward_data_desc_ = choose(
            this->name(), any, &shared,
            [&](const Desc& weights) {
                return ops.backward_data(engine, src, weights, dst, forward_hint_);
            },
            weights_of);
        const auto backward_weights_from = [&](const Desc& from) {
            return choose(
                this->name(), any_diff, &weights_desc_,
                [&](const Desc& weights) {
                    return ops.backward_weights(engine, from, weights, bias_desc_, dst,
                                                forward_hint_);
                },
                [](const auto& desc) { return desc.diff_weights_desc(); });
        };
        backward_weights_desc_ = backward_weights_from(src);
        if (is_reference(backward_weights_desc_.impl_info_str())) {
            // oneDNN 3.x in bfloat16, on an image of one channel.
            backward_weights_desc_ = backward_weights_from(
                Desc(onednn::dims_of(src), onednn::data_type_of(src), Tag::any));
        }
        if (copies) {
            const auto wide =
                float_backward_weights(ops, engine, src, weights_desc_, bias_desc_, dst);
            if (wide) backward_weights_desc_ = wide;
        }
        if (relu_) relu_backward_desc_ = onednn::relu_backward(engine, dst);
    }

    Desc src_desc() const override { return forward_desc_.src_desc(); }
    Desc dst_desc() const override { return forward_desc_.dst_desc(); }
    Desc diff_dst_desc() const override { return forward_hint_.dst_desc(); }
    bool keeps_src() const override { return true; }
    bool keeps_dst() const override { return relu_; }
    /// Backward by weights, the last to read src, comes before backward by data.
    bool overwrites_src() const override { return true; }

    std::size_t scratchpad_bytes() const override {
        std::size_t bytes = forward_desc_.scratchpad_desc().get_size();
        if (context().training) {
            bytes = std::max(bytes, backward_data_desc_.scratchpad_desc().get_size());
            bytes = std::max(bytes, backward_weights_desc_.scratchpad_desc().get_size());
            if (relu_) bytes = std::max(bytes, relu_backward_desc_.scratchpad_desc().get_size());
        }
        return bytes;
    }

    std::vector<TensorSlot> parameters() const override {
        const auto fan_in = static_cast<std::size_t>(
            std::accumulate(weights_shape_.begin() + 1, weights_shape_.end(), std::int64_t{1},
                            std::multiplies<>{}));
        return {{name() + ".weight", weights_shape_, fan_in, weights_desc_},
                {name() + ".bias", {weights_shape_[0]}, fan_in, bias_desc_}};
    }

    void describe(std::vector<PrimitiveInfo>& out) override {
        if (!context().training) return;
        const auto add = [&](const char* pass, const auto& desc, const BoundPrimitive& primitive) {
            if (primitive) out.push_back(info(pass, desc.impl_info_str(), primitive.alone()));
        };
        const auto add_reorder = [&](const char* pass, const BoundPrimitive& primitive) {
            if (primitive) out.push_back(info(pass, "reorder", primitive.alone()));
        };
        add_reorder("reorder", forward_reorder_);
        add("forward", forward_desc_, forward_);
        add("backward_relu", relu_backward_desc_, relu_backward_);
        add_reorder("reorder_src", src_reorder_);
        add_reorder("reorder_diff_dst", diff_dst_reorder_);
        add("backward_weights", backward_weights_desc_, backward_weights_);
        add_reorder("reorder_diff", diff_weights_reorder_);
        add_reorder("reorder_data", backward_reorder_);
        add("backward_data", backward_data_desc_, backward_data_);
    }

    void bind(const LayerMemory& lent) override {
        const dnnl::engine& engine = context().engine;
        weights_ = borrowed_memory(weights_desc_, engine);
        bias_ = borrowed_memory(bias_desc_, engine);
        const auto forward_weights = reordered(forward_desc_.weights_desc(), forward_reorder_);
        forward_ =
            BoundPrimitive(forward_desc_, typename Ops::Forward(forward_desc_), lent.scratchpad,
                           {{DNNL_ARG_SRC, lent.src},
                            {DNNL_ARG_WEIGHTS, forward_weights},
                            {DNNL_ARG_BIAS, bias_},
                            {DNNL_ARG_DST, lent.dst}});
        if (!context().training) return;

        diff_weights_ = borrowed_memory(weights_desc_, engine);
        diff_bias_ = borrowed_memory(bias_desc_, engine);
        if (relu_) {
            relu_backward_ = BoundPrimitive(
                relu_backward_desc_, dnnl::eltwise_backward(relu_backward_desc_), lent.scratchpad,
                {{DNNL_ARG_DST, lent.dst},
                 {DNNL_ARG_DIFF_DST, lent.diff_dst},
                 {DNNL_ARG_DIFF_SRC, lent.diff_dst}});
        }
        memory backward_src = lent.src;
        if (backward_weights_desc_.src_desc() != lent.src.get_desc()) {
            backward_src = memory(backward_weights_desc_.src_desc(), engine);
            src_reorder_ = reorder(lent.src, backward_src);
        }
        memory backward_diff_dst = lent.diff_dst;
        if (backward_weights_desc_.diff_dst_desc() != lent.diff_dst.get_desc()) {
            backward_diff_dst = memory(backward_weights_desc_.diff_dst_desc(), engine);
            diff_dst_reorder_ = reorder(lent.diff_dst, backward_diff_dst);
        }
        memory computed = diff_weights_;
        if (backward_weights_desc_.diff_weights_desc() != weights_desc_) {
            computed = memory(backward_weights_desc_.diff_weights_desc(), engine);
            diff_weights_reorder_ = reorder(computed, diff_weights_);
        }
        backward_weights_ =
            BoundPrimitive(backward_weights_desc_,
                           typename Ops::BackwardWeights(backward_weights_desc_), lent.scratchpad,
                           {{DNNL_ARG_SRC, backward_src},
                            {DNNL_ARG_DIFF_DST, backward_diff_dst},
                            {DNNL_ARG_DIFF_WEIGHTS, computed},
                            {DNNL_ARG_DIFF_BIAS, diff_bias_}});
        if (!lent.diff_src) return;
        // Forward's copy is still that of the same weights.
        const auto backward_weights =
            backward_data_desc_.weights_desc() == forward_desc_.weights_desc()
                ? forward_weights
                : reordered(backward_data_desc_.weights_desc(), backward_reorder_);
        backward_data_ = BoundPrimitive(
            backward_data_desc_, typename Ops::BackwardData(backward_data_desc_), lent.scratchpad,
            {{DNNL_ARG_DIFF_DST, lent.diff_dst},
             {DNNL_ARG_WEIGHTS, backward_weights},
             {DNNL_ARG_DIFF_SRC, lent.diff_src}});
    }

    void bind_blocks(const LayerBlocks& blocks) override {
        weights_.set_data_handle(blocks.parameters[0]);
        bias_.set_data_handle(blocks.parameters[1]);
        if (!context().training || blocks.gradients.empty()) return;
        diff_weights_.set_data_handle(blocks.gradients[0]);
        diff_bias_.set_data_handle(blocks.gradients[1]);
    }

    void forward(const StepContext& step) override {
        forward_reorder_.execute(step.stream);
        forward_.execute(step.stream);
    }

    void backward(const StepContext& step) override {
        relu_backward_.execute(step.stream);
        src_reorder_.execute(step.stream);
        diff_dst_reorder_.execute(step.stream);
        backward_weights_.execute(step.stream);
        diff_weights_reorder_.execute(step.stream);
        backward_reorder_.execute(step.stream);
        backward_data_.execute(step.stream);
    }

private:
    /// The weights as `wanted`: the block's own memory, or a copy that `before` refreshes.
    memory reordered(const Desc& wanted, BoundPrimitive& before) const {
        if (wanted == weights_desc_) return weights_;
        memory copy(wanted, context().engine);
        before = reorder(weights_, copy);
        return copy;
    }

    std::vector<std::int64_t> weights_shape_;
    Desc weights_desc_;
    Desc bias_desc_;
    bool relu_;

    // The hint is what backward takes forward for: forward itself, unless the gradient has another
    // type.
    typename Ops::Forward::primitive_desc forward_desc_, forward_hint_;
    typename Ops::BackwardData::primitive_desc backward_data_desc_;
    typename Ops::BackwardWeights::primitive_desc backward_weights_desc_;
    dnnl::eltwise_backward::primitive_desc relu_backward_desc_;

    memory weights_, bias_, diff_weights_, diff_bias_;
    BoundPrimitive forward_, forward_reorder_;
    BoundPrimitive backward_data_, backward_reorder_;
    BoundPrimitive backward_weights_, src_reorder_, diff_dst_reorder_, diff_weights_reorder_;
    BoundPrimitive relu_backward_;
};

}  // namespace

std::unique_ptr<Layer> make_convolution(const LayerSpec& spec, const LayerContext& context,
                                        const Desc& src, const Desc* weights, bool relu) {
    const Dims in = onednn::dims_of(src);
    const auto out = static_cast<dnnl_dim_t>(spec.outputs);
    const auto kernel = static_cast<dnnl_dim_t>(spec.kernel);
    const auto padding = static_cast<dnnl_dim_t>(spec.padding);
    const auto side = [&](dnnl_dim_t length) { return length + 2 * padding - kernel + 1; };
    const Dims weights_dims{out, in[1], kernel, kernel};
    const Desc dst({in[0], out, side(in[2]), side(in[3])}, onednn::data_type_of(src), Tag::any);
    using Convolution = WeightedLayer<ConvolutionOps>;
    return std::make_unique<Convolution>(
        spec.name, context,
        ConvolutionOps{{{1, 1}, {}, {padding, padding}}, context.options.convolution}, src,
        Convolution::Geometry{weights_dims, dst, dst, {weights_dims.begin(), weights_dims.end()}},
        weights, relu);
}

std::unique_ptr<Layer> make_linear(const LayerSpec& spec, const LayerContext& context,
                                   const Desc& src, const Desc* weights, bool relu, bool last) {
    Dims weights_dims = onednn::dims_of(src);
    const auto batch = weights_dims[0];
    const auto out = static_cast<dnnl_dim_t>(spec.outputs);
    weights_dims[0] = out;
    const auto inputs = std::accumulate(weights_dims.begin() + 1, weights_dims.end(), dnnl_dim_t{1},
                                        std::multiplies<>{});
    const Desc diff_dst({batch, out}, onednn::data_type_of(src), Tag::nc);
    using Linear = WeightedLayer<LinearOps>;
    return std::make_unique<Linear>(
        spec.name, context, LinearOps{}, src,
        Linear::Geometry{weights_dims,
                         last ? Desc({batch, out}, kF32, Tag::nc) : diff_dst,
                         diff_dst,
                         {out, inputs}},
        weights, relu);
}

}  // namespace dp::core
