#include "core/nn/layer.hpp"

#include "core/base/error.hpp"

namespace dp::core {

BoundPrimitive::BoundPrimitive(const dnnl::primitive_desc_base& desc, dnnl::primitive primitive,
                               std::byte* scratchpad, Arguments arguments)
    : primitive_(std::move(primitive)), memories_(std::move(arguments)) {
    if (const auto wanted = desc.scratchpad_desc(); wanted.get_size() != 0) {
        void* address = scratchpad != nullptr ? scratchpad : DNNL_MEMORY_ALLOCATE;
        memories_.emplace_back(DNNL_ARG_SCRATCHPAD,
                               dnnl::memory(wanted, desc.get_engine(), address));
    }
    arguments_.reserve(memories_.size());
    for (const auto& [argument, memory] : memories_) arguments_.push_back({argument, memory.get()});
}

void BoundPrimitive::execute(const dnnl::stream& stream) const {
    if (arguments_.empty()) return;
    // The C++ interface copies a map into a vector on each call; the C one takes the array as it
    // is.
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(arguments_.size()),
                               arguments_.data()),
        "could not execute a primitive");
}

std::function<void()> BoundPrimitive::alone() const {
    return [this, stream = dnnl::stream(memories_.front().second.get_engine())]() mutable {
        execute(stream);
        stream.wait();
    };
}

BoundPrimitive reorder(const dnnl::memory& from, const dnnl::memory& to) {
    const dnnl::engine engine = from.get_engine();
    const dnnl::reorder::primitive_desc desc(engine, from.get_desc(), engine, to.get_desc(),
                                             onednn::attributes());
    return {desc, dnnl::reorder(desc), nullptr, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}};
}

bool is_reference(std::string_view implementation) {
    return implementation.starts_with("ref") ||
           implementation.find(":ref") != std::string_view::npos;
}

void check_found(const dnnl::primitive_desc_base& desc, const std::string& layer) {
    if (desc) return;
    throw Error(ExitCode::kRunFailed,
                "oneDNN has no implementation for layer {}: try another oneDNN or CPU", layer);
}

std::vector<std::unique_ptr<Layer>> make_layers(const ModelSpec& model, const LayerContext& context,
                                                const TensorLayout* parameters) {
    const auto [channels, height, width] = model.input;
    onednn::Desc src(
        {static_cast<dnnl_dim_t>(context.batch_size), static_cast<dnnl_dim_t>(channels),
         static_cast<dnnl_dim_t>(height), static_cast<dnnl_dim_t>(width)},
        context.data_type(), dnnl::memory::format_tag::nchw);
    std::vector<std::unique_ptr<Layer>> layers;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const LayerSpec& spec = model.layers[i];
        const bool relu =
            i + 1 < model.layers.size() && model.layers[i + 1].kind == LayerKind::kRelu;
        const onednn::Desc* weights = nullptr;
        if (parameters != nullptr &&
            (spec.kind == LayerKind::kConvolution || spec.kind == LayerKind::kLinear)) {
            const std::size_t index = parameters->find(std::string(spec.name) + ".weight");
            weights = &LayoutAccess::desc(*parameters, index);
        }
        switch (spec.kind) {
            case LayerKind::kConvolution:
                layers.push_back(make_convolution(spec, context, src, weights, relu));
                break;
            case LayerKind::kLinear:
                layers.push_back(
                    make_linear(spec, context, src, weights, relu, i + 1 == model.layers.size()));
                break;
            case LayerKind::kBatchNorm:
                if (context.options.own_batch_norm_pool && relu && i + 2 < model.layers.size() &&
                    model.layers[i + 2].kind == LayerKind::kMaxPool &&
                    can_fuse_batch_norm_pool(src, model.layers[i + 2].kernel)) {
                    layers.push_back(make_batch_norm_pool(spec, context, src));
                    i += 2;
                } else {
                    layers.push_back(make_batch_norm(spec, context, src, relu));
                }
                break;
            case LayerKind::kMaxPool:
                layers.push_back(make_max_pool(spec, context, src));
                break;
            case LayerKind::kDropout:
                layers.push_back(make_dropout(context, src));
                break;
            case LayerKind::kRelu:
                continue;  // fused into the layer before it
        }
        src = layers.back()->dst_desc();
    }
    return layers;
}

}  // namespace dp::core
