// Dropout on plain activations (N, features), in our own loop: its masks come from counter-based
// random numbers keyed by sample, so that they are equal however the batch is split, which oneDNN's
// cannot be.
#include "core/base/parallel.hpp"
#include "core/base/random.hpp"
#include "core/nn/lanes.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using onednn::Desc;

/// (N, F) -> (N, F): training zeroes a unit with probability p and scales the others by 1 / (1 -
/// p).
template <typename Element>
class DropoutLayer final : public Layer {
public:
    DropoutLayer(const LayerContext& layer_context, const Desc& src)
        : Layer("dropout", layer_context), desc_(src) {
        features_ = static_cast<std::size_t>(onednn::dims_of(src)[1]);
    }

    Desc src_desc() const override { return desc_; }
    Desc dst_desc() const override { return desc_; }
    std::size_t state_bytes() const override {
        return context().training ? context().batch_size * features_ * sizeof(float) : 0;
    }
    void describe(std::vector<PrimitiveInfo>& /*out*/) override {}

    void bind(const LayerMemory& lent) override {
        lent_ = lent;
        mask_ = reinterpret_cast<float*>(lent.state);
    }

    void forward(const StepContext& step) override {
        const auto* src = static_cast<const Element*>(lent_.src.get_data_handle());
        auto* dst = static_cast<Element*>(lent_.dst.get_data_handle());
        if (!step.training) {
            std::copy_n(src, context().batch_size * features_, dst);
            return;
        }
        draw_mask(step);
        multiply(src, dst);
    }

    void backward(const StepContext& /*step*/) override {
        multiply(static_cast<const Element*>(lent_.diff_dst.get_data_handle()),
                 static_cast<Element*>(lent_.diff_src.get_data_handle()));
    }

private:
    void draw_mask(const StepContext& step) {
        const DropoutKey& key = step.dropout;
        const float kept = 1.F / (1.F - key.probability);
        parallel_parts(step.samples.size(), [&](std::size_t first, std::size_t last) {
            float* mask = mask_ + first * features_;
            for (std::size_t n = first; n < last; ++n) {
                const RandomStream stream(key.seed, RandomUse::kDropout,
                                          {key.epoch, key.step, step.samples[n]});
                for (std::size_t f = 0; f < features_; ++f) {
                    *mask++ = stream.uniform(f) < key.probability ? 0.F : kept;
                }
            }
        });
    }

    void multiply(const Element* from, Element* to) const {
        const std::size_t size = context().batch_size * features_;
        const float* mask = mask_;
        parallel_parts(size, [=](std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i)
                to[i] = from_float<Element>(to_float(from[i]) * mask[i]);
        });
    }

    Desc desc_;
    std::size_t features_ = 0;
    LayerMemory lent_;
    float* mask_ = nullptr;  // of the last forward, read by backward
};

}  // namespace

std::unique_ptr<Layer> make_dropout(const LayerContext& context, const Desc& src) {
    if (onednn::data_type_of(src) == dnnl::memory::data_type::bf16) {
        return std::make_unique<DropoutLayer<BFloat16>>(context, src);
    }
    return std::make_unique<DropoutLayer<float>>(context, src);
}

}  // namespace dp::core
