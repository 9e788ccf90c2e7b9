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
#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "core/nn/layer.hpp"
#include "core/nn/weighted_ops.hpp"

namespace dp::core {
namespace {

using dnnl::memory;
using onednn::Desc;
using onednn::Dims;
using namespace weighted;
using Tag = memory::format_tag;

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
        forward_desc_ = choose(
            this->name(), any, stored_weights,
            [&](const Desc& weights) {
                return ops.forward(engine, src, weights, bias_desc_, geometry.dst, relu);
            },
            kWeightsOf);
        forward_hint_ = forward_desc_;
        if (context().training && geometry.diff_dst != geometry.dst) {
            forward_hint_ = ops.forward(engine, src, any, bias_desc_, geometry.diff_dst, relu);
        }
        weights_desc_ = stored_weights != nullptr ? *stored_weights : forward_desc_.weights_desc();
        if (context().training) describe_backward(ops, src, any);
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
        const memory forward_weights =
            converted(weights_, forward_desc_.weights_desc(), forward_reorder_);
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
        const memory backward_src =
            converted(lent.src, backward_weights_desc_.src_desc(), src_reorder_);
        const memory backward_diff_dst =
            converted(lent.diff_dst, backward_weights_desc_.diff_dst_desc(), diff_dst_reorder_);
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
        const memory backward_weights =
            backward_data_desc_.weights_desc() == forward_desc_.weights_desc()
                ? forward_weights
                : converted(weights_, backward_data_desc_.weights_desc(), backward_reorder_);
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
    static constexpr auto kWeightsOf = [](const auto& desc) { return desc.weights_desc(); };

    /// Chooses the primitives of both backward passes; `any` is the weights in a layout of oneDNN's
    /// choice.
    void describe_backward(const Ops& ops, const Desc& src, const Desc& any) {
        const dnnl::engine& engine = context().engine;
        const Desc any_diff(onednn::dims_of(any), kF32, Tag::any);
        const Desc dst = forward_hint_.dst_desc();
        const bool copies = onednn::data_type_of(any) != kF32;
        const Desc shared = copies ? forward_desc_.weights_desc() : weights_desc_;
        backward_data_desc_ = choose(
            this->name(), any, &shared,
            [&](const Desc& weights) {
                return ops.backward_data(engine, src, weights, dst, forward_hint_);
            },
            kWeightsOf);
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

    /// `tensor` as `wanted`: itself, or a copy in that layout and type that `before` refreshes.
    static memory converted(const memory& tensor, const Desc& wanted, BoundPrimitive& before) {
        if (wanted == tensor.get_desc()) return tensor;
        memory copy(wanted, tensor.get_engine());
        before = reorder(tensor, copy);
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
