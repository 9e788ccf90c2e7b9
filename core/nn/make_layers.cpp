// From a network's list, written as a textbook would, to layers as this program computes them.
#include <algorithm>
#include <array>
#include <string>

#include "core/base/error.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

/// Where the next layer goes. `specs` begins with its own row and ends with the network's last.
struct Place {
    std::span<const LayerSpec> specs;
    const LayerContext& context;
    const onednn::Desc& src;
    const TensorLayout* parameters;  // null while it is being planned

    [[nodiscard]] const LayerSpec& spec() const { return specs.front(); }
    /// The layout of the layer's weights in the parameter block; null while it is being planned.
    [[nodiscard]] const onednn::Desc* weights() const {
        if (parameters == nullptr) return nullptr;
        const std::size_t index = parameters->find(std::string(spec().name) + ".weight");
        return &LayoutAccess::desc(*parameters, index);
    }
};

/// Rows of a network's list that one layer computes.
struct Pattern {
    std::size_t length;
    std::array<LayerKind, 3> kinds;  // the first `length` count
    /// Makes the layer; null where it does not fit and a shorter pattern must do.
    std::unique_ptr<Layer> (*make)(const Place&);

    [[nodiscard]] bool matches(std::span<const LayerSpec> specs) const {
        return specs.size() >= length &&
               std::ranges::equal(specs.first(length), std::span(kinds).first(length), {},
                                  &LayerSpec::kind);
    }
};

constexpr auto kConv = LayerKind::kConvolution;
constexpr auto kNorm = LayerKind::kBatchNorm;
constexpr auto kRelu = LayerKind::kRelu;
constexpr auto kPool = LayerKind::kMaxPool;
constexpr auto kLinear = LayerKind::kLinear;
constexpr auto kDropout = LayerKind::kDropout;

template <bool kWithRelu>
std::unique_ptr<Layer> convolution(const Place& at) {
    return make_convolution(at.spec(), at.context, at.src, at.weights(), kWithRelu);
}
template <bool kWithRelu>
std::unique_ptr<Layer> linear(const Place& at) {
    return make_linear(at.spec(), at.context, at.src, at.weights(), kWithRelu,
                       at.specs.size() == 1);
}
template <bool kWithRelu>
std::unique_ptr<Layer> batch_norm(const Place& at) {
    return make_batch_norm(at.spec(), at.context, at.src, kWithRelu);
}
std::unique_ptr<Layer> batch_norm_pool(const Place& at) {
    const bool fits = at.context.options.own_batch_norm_pool &&
                      can_fuse_batch_norm_pool(at.src, at.specs[2].kernel);
    return fits ? make_batch_norm_pool(at.spec(), at.context, at.src) : nullptr;
}
std::unique_ptr<Layer> max_pool(const Place& at) {
    return make_max_pool(at.spec(), at.context, at.src);
}
std::unique_ptr<Layer> dropout(const Place& at) { return make_dropout(at.context, at.src); }

/// The first that matches and fits is taken.
constexpr std::array kPatterns{
    Pattern{3, {kNorm, kRelu, kPool}, batch_norm_pool},
    Pattern{2, {kNorm, kRelu}, batch_norm<true>},
    Pattern{2, {kConv, kRelu}, convolution<true>},
    Pattern{2, {kLinear, kRelu}, linear<true>},
    Pattern{1, {kNorm}, batch_norm<false>},
    Pattern{1, {kConv}, convolution<false>},
    Pattern{1, {kLinear}, linear<false>},
    Pattern{1, {kPool}, max_pool},
    Pattern{1, {kDropout}, dropout},
};

[[noreturn]] void refuse(const ModelSpec& model, std::size_t row, const std::string& why) {
    throw Error(ExitCode::kUsage, "network {}, layer {} of {}: {}", model.name, row + 1,
                model.layers.size(), why);
}

void check_source(const ModelSpec& model, std::size_t row, const onednn::Desc& src) {
    const LayerKind kind = model.layers[row].kind;
    const bool flat = onednn::dims_of(src).size() == 2;
    if (kind == kDropout && !flat) {
        refuse(model, row, "dropout works on (N, features): put it behind a linear layer");
    }
    if (row == 0 && (kind == kNorm || kind == kPool)) {
        refuse(model, row, "the first layer must be a convolution or linear");
    }
    if (flat && (kind == kConv || kind == kNorm || kind == kPool)) {
        refuse(model, row,
               "convolutions, batch norm and pools work on (N, C, H, W): put them before the first "
               "linear layer");
    }
}

void check_last(const ModelSpec& model) {
    const bool fits = !model.layers.empty() && model.layers.back().kind == kLinear &&
                      model.layers.back().outputs == kClasses;
    if (fits) return;
    refuse(
        model, model.layers.size() - 1,
        fmt::format("the last layer must be linear with {} outputs, one for each class", kClasses));
}

}  // namespace

std::vector<std::unique_ptr<Layer>> make_layers(const ModelSpec& model, const LayerContext& context,
                                                const TensorLayout* parameters) {
    const auto [channels, height, width] = model.input;
    onednn::Desc src(
        {static_cast<dnnl_dim_t>(context.batch_size), static_cast<dnnl_dim_t>(channels),
         static_cast<dnnl_dim_t>(height), static_cast<dnnl_dim_t>(width)},
        context.data_type(), dnnl::memory::format_tag::nchw);
    check_last(model);
    std::vector<std::unique_ptr<Layer>> layers;
    for (std::size_t row = 0; row < model.layers.size();) {
        check_source(model, row, src);
        const Place at{model.layers.subspan(row), context, src, parameters};
        std::unique_ptr<Layer> layer;
        for (const Pattern& pattern : kPatterns) {
            if (!pattern.matches(at.specs)) continue;
            layer = pattern.make(at);
            if (layer == nullptr) continue;
            row += pattern.length;
            break;
        }
        if (layer == nullptr) {
            refuse(model, row,
                   "a ReLU is computed with the convolution, batch norm or linear layer before it: "
                   "put it directly behind one");
        }
        src = layer->dst_desc();
        layers.push_back(std::move(layer));
    }
    return layers;
}

}  // namespace dp::core
