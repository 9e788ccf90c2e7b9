// Batch norm, with the ReLU behind it fused in. Training normalises by the batch's statistics and
// moves the running ones as PyTorch does (momentum 0.1, unbiased variance); evaluation normalises
// by the running ones.
#include "core/nn/batch_norm.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using dnnl::memory;
using onednn::Desc;

/// (N, C, H, W) -> (N, C, H, W); scale (C), shift (C).
class BatchNormLayer final : public Layer {
public:
    BatchNormLayer(std::string_view name, const LayerContext& layer_context, const Desc& src,
                   bool relu)
        : Layer(name, layer_context), data_desc_(src) {
        using Flags = dnnl::normalization_flags;
        Flags flags = Flags::use_scale | Flags::use_shift;
        if (relu) flags = flags | Flags::fuse_norm_relu;
        const auto dims = onednn::dims_of(src);
        channels_ = static_cast<std::size_t>(dims[1]);
        values_per_channel_ = static_cast<float>(dims[0] * dims[2] * dims[3]);
        channel_desc_ = Desc({dims[1]}, memory::data_type::f32, memory::format_tag::a);

        const dnnl::engine& engine = context().engine;
        evaluate_desc_ =
            onednn::batch_norm_forward(engine, dnnl::prop_kind::forward_inference, data_desc_,
                                       kBatchNormEpsilon, flags | Flags::use_global_stats);
        check_found(evaluate_desc_, this->name());
        if (!context().training) return;
        forward_desc_ = onednn::batch_norm_forward(engine, dnnl::prop_kind::forward_training,
                                                   data_desc_, kBatchNormEpsilon, flags);
        backward_desc_ = onednn::batch_norm_backward(engine, data_desc_, kBatchNormEpsilon, flags,
                                                     forward_desc_);
        check_found(forward_desc_, this->name());
        check_found(backward_desc_, this->name());
    }

    Desc src_desc() const override { return data_desc_; }
    Desc dst_desc() const override { return data_desc_; }
    bool keeps_src() const override { return true; }

    std::size_t scratchpad_bytes() const override {
        std::size_t bytes = evaluate_desc_.scratchpad_desc().get_size();
        if (context().training) {
            bytes = std::max(bytes, forward_desc_.scratchpad_desc().get_size());
            bytes = std::max(bytes, backward_desc_.scratchpad_desc().get_size());
        }
        return bytes;
    }

    std::vector<TensorSlot> parameters() const override { return {slot(".weight"), slot(".bias")}; }
    std::vector<TensorSlot> statistics() const override {
        return {slot(".running_mean"), slot(".running_var")};
    }

    void describe(std::vector<PrimitiveInfo>& out) override {
        if (!context().training) return;
        out.push_back(info("forward", forward_desc_.impl_info_str(), forward_.alone()));
        out.push_back(info("backward", backward_desc_.impl_info_str(), backward_.alone()));
    }

    void bind(const LayerMemory& lent) override {
        const dnnl::engine& engine = context().engine;
        scale_ = borrowed_memory(channel_desc_, engine);
        shift_ = borrowed_memory(channel_desc_, engine);
        running_mean_ = borrowed_memory(channel_desc_, engine);
        running_variance_ = borrowed_memory(channel_desc_, engine);
        evaluate_ = BoundPrimitive(
            evaluate_desc_, dnnl::batch_normalization_forward(evaluate_desc_), lent.scratchpad,
            {{DNNL_ARG_SRC, lent.src},
             {DNNL_ARG_MEAN, running_mean_},
             {DNNL_ARG_VARIANCE, running_variance_},
             {DNNL_ARG_SCALE, scale_},
             {DNNL_ARG_SHIFT, shift_},
             {DNNL_ARG_DST, lent.dst}});
        if (!context().training) return;

        diff_scale_ = borrowed_memory(channel_desc_, engine);
        diff_shift_ = borrowed_memory(channel_desc_, engine);
        mean_ = memory(channel_desc_, engine);
        variance_ = memory(channel_desc_, engine);
        const memory workspace(forward_desc_.workspace_desc(), engine);
        forward_ = BoundPrimitive(forward_desc_, dnnl::batch_normalization_forward(forward_desc_),
                                  lent.scratchpad,
                                  {{DNNL_ARG_SRC, lent.src},
                                   {DNNL_ARG_MEAN, mean_},
                                   {DNNL_ARG_VARIANCE, variance_},
                                   {DNNL_ARG_SCALE, scale_},
                                   {DNNL_ARG_SHIFT, shift_},
                                   {DNNL_ARG_WORKSPACE, workspace},
                                   {DNNL_ARG_DST, lent.dst}});
        BoundPrimitive::Arguments arguments{
            {DNNL_ARG_SRC, lent.src},           {DNNL_ARG_MEAN, mean_},
            {DNNL_ARG_VARIANCE, variance_},     {DNNL_ARG_DIFF_DST, lent.diff_dst},
            {DNNL_ARG_SCALE, scale_},           {DNNL_ARG_WORKSPACE, workspace},
            {DNNL_ARG_DIFF_SRC, lent.diff_src}, {DNNL_ARG_DIFF_SCALE, diff_scale_},
            {DNNL_ARG_DIFF_SHIFT, diff_shift_}};
        if (onednn::kBatchNormBackwardTakesShift) {
            arguments.emplace_back(DNNL_ARG_SHIFT, shift_);
        }
        backward_ =
            BoundPrimitive(backward_desc_, dnnl::batch_normalization_backward(backward_desc_),
                           lent.scratchpad, std::move(arguments));
    }

    void bind_blocks(const LayerBlocks& blocks) override {
        scale_.set_data_handle(blocks.parameters[0]);
        shift_.set_data_handle(blocks.parameters[1]);
        running_mean_.set_data_handle(blocks.statistics[0]);
        running_variance_.set_data_handle(blocks.statistics[1]);
        if (!context().training || blocks.gradients.empty()) return;
        diff_scale_.set_data_handle(blocks.gradients[0]);
        diff_shift_.set_data_handle(blocks.gradients[1]);
    }

    void forward(const StepContext& step) override {
        if (!step.training) {
            evaluate_.execute(step.stream);
            return;
        }
        forward_.execute(step.stream);
        move_running_statistics({floats(mean_), channels_}, {floats(variance_), channels_},
                                values_per_channel_, floats(running_mean_),
                                floats(running_variance_));
    }

    void backward(const StepContext& step) override {
        backward_.execute(step.stream);
        spoil_overflown({floats(running_variance_), channels_}, floats(diff_scale_));
    }

private:
    TensorSlot slot(const char* suffix) const {
        return {name() + suffix, {static_cast<std::int64_t>(channels_)}, 0, channel_desc_};
    }

    static float* floats(const memory& tensor) {
        return static_cast<float*>(tensor.get_data_handle());
    }

    Desc data_desc_, channel_desc_;
    std::size_t channels_ = 0;
    float values_per_channel_ = 0.F;

    dnnl::batch_normalization_forward::primitive_desc evaluate_desc_, forward_desc_;
    dnnl::batch_normalization_backward::primitive_desc backward_desc_;
    memory scale_, shift_, running_mean_, running_variance_;
    memory diff_scale_, diff_shift_, mean_, variance_;
    BoundPrimitive evaluate_, forward_, backward_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm(const LayerSpec& spec, const LayerContext& context,
                                       const Desc& src, bool relu) {
    return std::make_unique<BatchNormLayer>(spec.name, context, src, relu);
}

}  // namespace dp::core
