// Batch norm, ReLU and 2 x 2 max pooling in one pass of our own, training and evaluation.
//
// As three oneDNN primitives each reads and writes the whole activation; in one, forward reads it
// twice and writes a quarter, and backward reads it once and overwrites it with its gradient. On
// two cores, whose workers share one cache, that is worth more than on one.
//
// Per channel, over the n values of a batch (Ioffe and Szegedy, "Batch normalization", 2015):
//   forward    z = (x - mean) / sqrt(variance + epsilon);  y = gamma z + beta
//              dst = max(0, y of the window's winner)
//   backward   dy = diff_dst at a winner with y > 0, 0 elsewhere
//              diff_gamma = sum(dy z);  diff_beta = sum(dy)
//              diff_src = gamma / sqrt(variance + epsilon) (dy - diff_beta / n - z diff_gamma / n)
// y is monotone in x, so a window's winner is the largest x (the smallest where gamma < 0). Forward
// keeps which one it is and its x, so that backward's sums read a quarter of the activation.
//
// Activations are float32 or bfloat16, all arithmetic and statistics float32.
#include <cmath>
#include <cstring>

#include "core/base/memory_block.hpp"
#include "core/nn/batch_norm.hpp"
#include "core/nn/lanes.hpp"
#include "core/nn/layer.hpp"

namespace dp::core {
namespace {

using dnnl::memory;
using onednn::Desc;
using Tag = memory::format_tag;

/// A window with y <= 0 has no winner.
constexpr std::int32_t kNone = 4;

/// (N, C, H, W), C in blocks of kLanes, H and W even.
struct Geometry {
    std::size_t batch = 0, blocks = 0, height = 0, width = 0;

    [[nodiscard]] std::size_t plane() const { return height * width; }
    [[nodiscard]] std::size_t planes() const { return batch * blocks; }
};

/// Per channel, as long as there are channels.
struct ChannelValues {
    std::vector<float> mean, inverse_deviation;
};

template <std::size_t kLanes, typename Element>
struct Kernels {
    using V = Lanes<kLanes, Element>;
    using Floats = typename V::Floats;
    using Words = typename V::Words;

    /// Sums over one plane of (x - shift) and its square, four chains of additions at once.
    static void add_plane(const Element* x, std::size_t plane, const Floats& shift, double* sum,
                          double* squares) {
        Floats sums[4] = {};
        Floats squared[4] = {};
        for (std::size_t i = 0; i < plane; i += 4) {
            for (std::size_t k = 0; k < 4; ++k) {
                const Floats d = V::load(x + (i + k) * kLanes) - shift;
                sums[k] += d;
                squared[k] += d * d;
            }
        }
        const Floats all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        const Floats all_squared = (squared[0] + squared[1]) + (squared[2] + squared[3]);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sum[lane] += static_cast<double>(all[lane]);
            squares[lane] += static_cast<double>(all_squared[lane]);
        }
    }

    /// Mean and biased variance of every channel. Shifted by the first image's mean, so that the
    /// difference of sums loses no digits.
    static void statistics(const Geometry& g, const Element* x, std::span<double> sums,
                           std::span<float> shifts, std::span<float> mean,
                           std::span<float> variance) {
        const std::size_t channels = g.blocks * kLanes;
        const std::span<double> sum = sums.first(channels);
        const std::span<double> squares = sums.subspan(channels, channels);
        std::ranges::fill(sums, 0.0);
        for (std::size_t b = 0; b < g.blocks; ++b) {
            add_plane(x + b * g.plane() * kLanes, g.plane(), Floats{}, &sum[b * kLanes],
                      &squares[b * kLanes]);
        }
        for (std::size_t c = 0; c < channels; ++c) {
            shifts[c] = static_cast<float>(sum[c] / static_cast<double>(g.plane()));
        }
        std::ranges::fill(sums, 0.0);
        for (std::size_t p = 0; p < g.planes(); ++p) {
            const std::size_t c = p % g.blocks * kLanes;
            add_plane(x + p * g.plane() * kLanes, g.plane(), V::load_floats(&shifts[c]), &sum[c],
                      &squares[c]);
        }
        const auto n = static_cast<double>(g.batch * g.plane());
        for (std::size_t c = 0; c < channels; ++c) {
            const double offset = sum[c] / n;
            mean[c] = static_cast<float>(static_cast<double>(shifts[c]) + offset);
            variance[c] = static_cast<float>(std::max(squares[c] / n - offset * offset, 0.0));
        }
    }

    /// x (N, C, H, W) -> dst (N, C, H / 2, W / 2). `winners` and `winning`, of dst's shape, are
    /// kept for backward; null in evaluation.
    template <bool kKeep>
    static void forward(const Geometry& g, const Element* x, const ChannelValues& channel,
                        const float* gamma, const float* beta, Element* dst, std::uint8_t* winners,
                        Element* winning) {
        const std::size_t row = g.width * kLanes;
        for (std::size_t p = 0; p < g.planes(); ++p) {
            const std::size_t c = p % g.blocks * kLanes;
            const auto mean = V::load_floats(&channel.mean[c]);
            const auto inverse = V::load_floats(&channel.inverse_deviation[c]);
            const auto scale = V::load_floats(gamma + c);
            const auto shift = V::load_floats(beta + c);
            // Keys grow with y. Where gamma is 0 all are equal, and the first wins as in PyTorch.
            const Floats sign =
                scale < 0.F ? Floats{} - 1.F : (scale > 0.F ? Floats{} + 1.F : Floats{});
            for (std::size_t h = 0; h < g.height; h += 2, x += 2 * row) {
                for (std::size_t w = 0; w < row; w += 2 * kLanes) {
                    const auto first = V::load(x + w);
                    Floats best = sign * first;
                    Words winner{};
                    take_larger(sign * V::load(x + w + kLanes), 1, best, winner);
                    take_larger(sign * V::load(x + row + w), 2, best, winner);
                    take_larger(sign * V::load(x + row + w + kLanes), 3, best, winner);
                    const Floats won = (sign == 0.F) & (best == best) ? first : sign * best;
                    const Floats z = (won - mean) * inverse;
                    const Floats y = z * scale + shift;
                    // Not y > 0: a value that is not a number must go on.
                    V::store(dst, y <= 0.F ? Floats{} : y);
                    dst += kLanes;
                    if constexpr (kKeep) {
                        winner = y <= 0.F ? Words{} + kNone : winner;
                        V::store_bytes(winners, winner);
                        V::store(winning, won);
                        winners += kLanes;
                        winning += kLanes;
                    }
                }
            }
        }
    }

    /// Sums over the batch of dy and dy z into diff_beta and diff_gamma.
    static void backward_channels(const Geometry& g, const ChannelValues& channel,
                                  const Element* diff_dst, const std::uint8_t* winners,
                                  const Element* winning, std::span<double> sums, float* diff_gamma,
                                  float* diff_beta) {
        const std::size_t channels = g.blocks * kLanes;
        const std::span<double> gamma = sums.first(channels);
        const std::span<double> beta = sums.subspan(channels, channels);
        std::ranges::fill(sums, 0.0);
        const std::size_t pooled = g.plane() / 4;
        for (std::size_t p = 0; p < g.planes(); ++p) {
            const std::size_t c = p % g.blocks * kLanes;
            const auto mean = V::load_floats(&channel.mean[c]);
            Floats gammas{};
            Floats betas{};
            for (std::size_t i = 0; i < pooled; ++i) {
                const Floats dy = alive(diff_dst, winners);
                gammas += dy * (V::load(winning) - mean);
                betas += dy;
                diff_dst += kLanes;
                winners += kLanes;
                winning += kLanes;
            }
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
                gamma[c + lane] += static_cast<double>(gammas[lane]);
                beta[c + lane] += static_cast<double>(betas[lane]);
            }
        }
        for (std::size_t c = 0; c < channels; ++c) {
            diff_gamma[c] = static_cast<float>(gamma[c]) * channel.inverse_deviation[c];
            diff_beta[c] = static_cast<float>(beta[c]);
        }
    }

    /// diff_src may be x.
    static void backward(const Geometry& g, const Element* x, const ChannelValues& channel,
                         const float* gamma, const float* diff_gamma, const float* diff_beta,
                         const Element* diff_dst, const std::uint8_t* winners, Element* diff_src) {
        const std::size_t row = g.width * kLanes;
        const float share = 1.F / static_cast<float>(g.batch * g.plane());
        for (std::size_t p = 0; p < g.planes(); ++p) {
            const std::size_t c = p % g.blocks * kLanes;
            const auto inverse = V::load_floats(&channel.inverse_deviation[c]);
            const Floats scale = V::load_floats(gamma + c) * inverse;
            // scale (dy - mean_beta - z mean_gamma) = scale dy - (slope x + offset)
            const Floats slope = scale * inverse * (V::load_floats(diff_gamma + c) * share);
            const Floats offset = scale * (V::load_floats(diff_beta + c) * share) -
                                  slope * V::load_floats(&channel.mean[c]);
            for (std::size_t h = 0; h < g.height; h += 2, x += 2 * row, diff_src += 2 * row) {
                for (std::size_t w = 0; w < row; w += 2 * kLanes) {
                    const Floats dy = scale * V::load(diff_dst);
                    const auto winner = V::load_bytes(winners);
                    diff_dst += kLanes;
                    winners += kLanes;
                    for (std::int32_t k = 0; k < 4; ++k) {
                        const std::size_t at =
                            w + (k & 1 ? kLanes : std::size_t{0}) + (k & 2 ? row : std::size_t{0});
                        const Floats rest = V::load(x + at) * slope + offset;
                        const Floats won = winner == k ? dy : Floats{};
                        V::store(diff_src + at, won - rest);
                    }
                }
            }
        }
    }

private:
    static void take_larger(const Floats& value, std::int32_t index, Floats& best, Words& winner) {
        // A value that is not a number wins, so that it goes on.
        const auto larger = (value > best) | (value != value);
        best = larger ? value : best;
        winner = larger ? Words{} + index : winner;
    }
    static Floats alive(const Element* diff_dst, const std::uint8_t* winners) {
        const auto winner = V::load_bytes(winners);
        return winner == kNone ? Floats{} : V::load(diff_dst);
    }
};

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
    using K = Kernels<kLanes, Element>;

    void propagate() {
        const Element* diff_dst = elements(lent_.diff_dst);
        K::backward_channels(geometry_, channel_, diff_dst, winners_, winning_, sums_, diff_gamma_,
                             diff_beta_);
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
        K::statistics(geometry_, elements(lent_.src), sums_, shifts_, channel_.mean, variance_);
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
