// Batch norm, ReLU and 2 x 2 max pooling in one pass of our own, training and evaluation.
//
// As three oneDNN primitives each reads and writes the whole activation; in one, forward reads it
// twice and writes a quarter, and backward reads it once and overwrites it with its gradient. On
// two cores, whose workers share one cache, that is worth more than on one.
//
// The formulas and loops are in batch_norm_pool_kernels.hpp; here they become a layer.
#include <algorithm>
#include <cmath>

#include "core/base/memory_block.hpp"
#include "core/nn/batch_norm.hpp"
#include "core/nn/batch_norm_pool_kernels.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using batch_norm_pool::ChannelValues;
using batch_norm_pool::Geometry;
using dnnl::memory;
using onednn::Desc;
using Tag = memory::format_tag;

/// src (N, C, H, W) -> dst (N, C, H / 2, W / 2); scale (C), shift (C).
template <std::size_t kLanes, typename Element>
class BatchNormPoolLayer final : public Layer {
public:
    BatchNormPoolLayer(std::string_view name, const LayerContext& layer_context, const Desc& src)
        : Layer(name, layer_context), src_desc_(src) {
        const auto dims = onednn::dims_of(src);
        const auto size = [&](std::size_t i) { return static_cast<std::size_t>(dims[i]); };
        dst_desc_ = Desc({dims[0], dims[1], dims[2] / 2, dims[3] / 2}, onednn::data_type_of(src),
                         kLanes == 16 ? Tag::nChw16c : Tag::nChw8c);
        channel_desc_ = Desc({dims[1]}, memory::data_type::f32, Tag::a);
        geometry_ = {size(0), size(1) / kLanes, size(2), size(3)};
        sums_.resize(2 * channels());
        if (context().training) by_plane_.resize(geometry_.planes());
        for (auto* values : {&variance_, &shifts_, &channel_.mean, &channel_.inverse_deviation}) {
            values->resize(channels());
        }
    }

    Desc src_desc() const override { return src_desc_; }
    Desc dst_desc() const override { return dst_desc_; }
    bool keeps_src() const override { return true; }
    bool overwrites_src() const override { return true; }
    std::size_t state_bytes() const override {
        return context().training ? pooled() * (sizeof(Element) + sizeof(std::uint8_t)) : 0;
    }

    std::vector<TensorSlot> parameters() const override { return {slot(".weight"), slot(".bias")}; }
    std::vector<TensorSlot> statistics() const override {
        return {slot(".running_mean"), slot(".running_var")};
    }

    void describe(std::vector<PrimitiveInfo>& out) override {
        if (!context().training) return;
        out.push_back(info("forward", "own", [this] { train(); }));
        out.push_back(info("backward", "own", [this] { propagate(); }));
    }

    void bind(const LayerMemory& lent) override {
        lent_ = lent;
        if (!context().training) return;
        winning_ = reinterpret_cast<Element*>(lent.state);
        winners_ = reinterpret_cast<std::uint8_t*>(winning_ + pooled());
    }

    void bind_blocks(const LayerBlocks& blocks) override {
        gamma_ = blocks.parameters[0];
        beta_ = blocks.parameters[1];
        running_mean_ = blocks.statistics[0];
        running_variance_ = blocks.statistics[1];
        if (blocks.gradients.empty()) return;
        diff_gamma_ = blocks.gradients[0];
        diff_beta_ = blocks.gradients[1];
    }

    void forward(const StepContext& step) override {
        if (!step.training) return evaluate();
        train();
        move_running_statistics(channel_.mean, variance_,
                                static_cast<float>(geometry_.batch * geometry_.plane()),
                                running_mean_, running_variance_);
    }

    void backward(const StepContext& /*step*/) override {
        propagate();
        spoil_overflown({running_variance_, channels()}, diff_gamma_);
    }

private:
    using K = batch_norm_pool::Kernels<kLanes, Element>;

    void propagate() {
        const Element* diff_dst = elements(lent_.diff_dst);
        K::backward_channels(geometry_, channel_, diff_dst, winners_, winning_, by_plane_, sums_,
                             diff_gamma_, diff_beta_);
        K::backward(geometry_, elements(lent_.src), channel_, gamma_, diff_gamma_, diff_beta_,
                    diff_dst, winners_, elements(lent_.diff_src));
    }

    [[nodiscard]] std::size_t channels() const { return geometry_.blocks * kLanes; }
    [[nodiscard]] std::size_t pooled() const {
        return geometry_.planes() * geometry_.plane() / 4 * kLanes;
    }
    static Element* elements(const memory& tensor) {
        return static_cast<Element*>(tensor.get_data_handle());
    }
    TensorSlot slot(const char* suffix) const {
        return {name() + suffix, {static_cast<std::int64_t>(channels())}, 0, channel_desc_};
    }

    void set_deviation(std::span<const float> variance) {
        for (std::size_t c = 0; c < channels(); ++c) {
            channel_.inverse_deviation[c] = 1.F / std::sqrt(variance[c] + kBatchNormEpsilon);
        }
    }

    void train() {
        K::statistics(geometry_, elements(lent_.src), by_plane_, sums_, shifts_, channel_.mean,
                      variance_);
        set_deviation(variance_);
        K::template forward<true>(geometry_, elements(lent_.src), channel_, gamma_, beta_,
                                  elements(lent_.dst), winners_, winning_);
    }

    void evaluate() {
        std::copy_n(running_mean_, channels(), channel_.mean.begin());
        set_deviation({running_variance_, channels()});
        K::template forward<false>(geometry_, elements(lent_.src), channel_, gamma_, beta_,
                                   elements(lent_.dst), nullptr, nullptr);
    }

    Desc src_desc_, dst_desc_, channel_desc_;
    Geometry geometry_;
    LayerMemory lent_;
    float *gamma_ = nullptr, *beta_ = nullptr, *diff_gamma_ = nullptr, *diff_beta_ = nullptr;
    float *running_mean_ = nullptr, *running_variance_ = nullptr;

    ChannelValues channel_;
    std::vector<float> variance_, shifts_;
    std::vector<typename K::PlaneSums> by_plane_;
    std::vector<double> sums_;
    // Of the last forward, read by backward; in the network's arena.
    Element* winning_ = nullptr;
    std::uint8_t* winners_ = nullptr;
};

/// How many channels lie side by side in `src`: 16, 8 or, in a layout that is not ours, 0.
std::size_t channel_block(const Desc& src) {
    const auto dims = onednn::dims_of(src);
    const auto has_layout = [&](dnnl_dim_t lanes, Tag tag) {
        return dims[1] % lanes == 0 && src == Desc(dims, onednn::data_type_of(src), tag);
    };
    if (has_layout(16, Tag::nChw16c)) return 16;
    return has_layout(8, Tag::nChw8c) ? 8 : 0;
}

template <std::size_t kLanes, typename Element>
std::unique_ptr<Layer> make(const LayerSpec& spec, const LayerContext& context, const Desc& src) {
    return std::make_unique<BatchNormPoolLayer<kLanes, Element>>(spec.name, context, src);
}

}  // namespace

bool can_fuse_batch_norm_pool(const Desc& src, std::size_t kernel) {
    const auto dims = onednn::dims_of(src);
    const bool even = dims[2] % 2 == 0 && dims[3] % 2 == 0;
    return kernel == 2 && even && channel_block(src) != 0;
}

std::unique_ptr<Layer> make_batch_norm_pool(const LayerSpec& spec, const LayerContext& context,
                                            const Desc& src) {
    const bool wide = channel_block(src) == 16;
    if (onednn::data_type_of(src) == memory::data_type::bf16) {
        if (wide) return make<16, BFloat16>(spec, context, src);
        return make<8, BFloat16>(spec, context, src);
    }
    if (wide) return make<16, float>(spec, context, src);
    return make<8, float>(spec, context, src);
}

}  // namespace dp::core
