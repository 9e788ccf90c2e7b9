// What convolution and linear layers ask of oneDNN: one struct each with the three passes, and
// which of oneDNN's answers to take. For weighted_layer.cpp alone.
#pragma once

#include <string>

#include "core/nn/convolution_algorithms.hpp"
#include "core/nn/layer.hpp"

namespace dp::core::weighted {

using onednn::Desc;

inline constexpr auto kF32 = dnnl::memory::data_type::f32;

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
inline dnnl::convolution_backward_weights::primitive_desc float_backward_weights(
    const ConvolutionOps& ops, const dnnl::engine& engine, const Desc& src,
    const Desc& diff_weights, const Desc& diff_bias, const Desc& dst) {
    if (!prefers_float_backward_weights(onednn::dims_of(diff_weights), ops.choice)) return {};
    const auto as_float = [](const Desc& desc) {
        return Desc(onednn::dims_of(desc), kF32, dnnl::memory::format_tag::any);
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

inline dnnl::inner_product_backward_weights::primitive_desc float_backward_weights(
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

}  // namespace dp::core::weighted
