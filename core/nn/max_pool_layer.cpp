// Max pooling over windows that do not overlap. Forward keeps which input won, for backward.
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using dnnl::memory;
using onednn::Desc;

/// (N, C, H, W) -> (N, C, H / kernel, W / kernel), the remainder dropped as PyTorch does.
class MaxPoolLayer final : public Layer {
public:
    MaxPoolLayer(std::size_t side, const LayerContext& layer_context, const Desc& src)
        : Layer("pool", layer_context) {
        const auto kernel = static_cast<dnnl_dim_t>(side);
        const onednn::WindowDims window{{kernel, kernel}, {kernel, kernel}, {0, 0}};
        const auto in = onednn::dims_of(src);
        const Desc dst({in[0], in[1], in[2] / kernel, in[3] / kernel}, onednn::data_type_of(src),
                       memory::format_tag::any);
        forward_desc_ = onednn::max_pool_forward(context().engine, src, dst, window);
        check_found(forward_desc_, name());
        if (context().training) {
            backward_desc_ =
                onednn::max_pool_backward(context().engine, src, dst_desc(), window, forward_desc_);
        }
    }

    Desc src_desc() const override { return forward_desc_.src_desc(); }
    Desc dst_desc() const override { return forward_desc_.dst_desc(); }

    std::size_t scratchpad_bytes() const override {
        const std::size_t bytes = forward_desc_.scratchpad_desc().get_size();
        return context().training ? std::max(bytes, backward_desc_.scratchpad_desc().get_size())
                                  : bytes;
    }

    void describe(std::vector<PrimitiveInfo>& out) override {
        if (!context().training) return;
        out.push_back(info("forward", forward_desc_.impl_info_str(), forward_.alone()));
        out.push_back(info("backward", backward_desc_.impl_info_str(), backward_.alone()));
    }

    void bind(const LayerMemory& lent) override {
        const memory workspace(forward_desc_.workspace_desc(), context().engine);
        forward_ = BoundPrimitive(
            forward_desc_, dnnl::pooling_forward(forward_desc_), lent.scratchpad,
            {{DNNL_ARG_SRC, lent.src}, {DNNL_ARG_DST, lent.dst}, {DNNL_ARG_WORKSPACE, workspace}});
        if (!context().training) return;
        backward_ =
            BoundPrimitive(backward_desc_, dnnl::pooling_backward(backward_desc_), lent.scratchpad,
                           {{DNNL_ARG_DIFF_DST, lent.diff_dst},
                            {DNNL_ARG_DIFF_SRC, lent.diff_src},
                            {DNNL_ARG_WORKSPACE, workspace}});
    }

    void forward(const StepContext& step) override { forward_.execute(step.stream); }
    void backward(const StepContext& step) override { backward_.execute(step.stream); }

private:
    dnnl::pooling_forward::primitive_desc forward_desc_;
    dnnl::pooling_backward::primitive_desc backward_desc_;
    BoundPrimitive forward_, backward_;
};

}  // namespace

std::unique_ptr<Layer> make_max_pool(const LayerSpec& spec, const LayerContext& context,
                                     const Desc& src) {
    return std::make_unique<MaxPoolLayer>(spec.kernel, context, src);
}

}  // namespace dp::core
