// The one place that knows oneDNN 2.x from 3.x: 2.x describes an operation in a `desc` and then
// asks for its primitive_desc, 3.x asks at once and tells source from destination. Everything else
// is the same in both. For core/nn alone. Every primitive_desc made here uses the caller's
// scratchpad.
#pragma once

#include <string_view>

#include <dnnl.hpp>

namespace dp::core::onednn {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

#if DNNL_VERSION_MAJOR < 3
inline constexpr bool kVersion2 = true;
#else
inline constexpr bool kVersion2 = false;
#endif

/// 2.x counts the shift among the inputs of batch norm's backward, 3.x refuses it there.
inline constexpr bool kBatchNormBackwardTakesShift = kVersion2;

inline Dims dims_of(const Desc& desc) {
#if DNNL_VERSION_MAJOR < 3
    return desc.dims();
#else
    return desc.get_dims();
#endif
}

inline dnnl::memory::data_type data_type_of(const Desc& desc) {
#if DNNL_VERSION_MAJOR < 3
    return desc.data_type();
#else
    return desc.get_data_type();
#endif
}

/// Attributes with the caller's scratchpad, and with `relu` a ReLU applied to the destination.
inline dnnl::primitive_attr attributes(bool relu = false) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (relu) {
        dnnl::post_ops ops;
#if DNNL_VERSION_MAJOR < 3
        ops.append_eltwise(1.F, dnnl::algorithm::eltwise_relu, 0.F, 0.F);
#else
        ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.F, 0.F);
#endif
        attr.set_post_ops(ops);
    }
    return attr;
}

/// Creates a primitive_desc of type Primitive::primitive_desc; empty when oneDNN has no
/// implementation. 2.x: (desc arguments...) then (hint...); `hint` is nothing or the forward
/// primitive_desc.
template <typename Primitive, typename... Hint>
auto make(const dnnl::engine& engine, const dnnl::primitive_attr& attr, const auto& describe,
          const Hint&... hint) {
#if DNNL_VERSION_MAJOR < 3
    const auto desc =
        describe([](const auto&... args) { return typename Primitive::desc(args...); });
    return typename Primitive::primitive_desc(desc, attr, engine, hint..., /*allow_empty=*/true);
#else
    return describe([&](const auto&... args) {
        return typename Primitive::primitive_desc(engine, args..., hint..., attr,
                                                  /*allow_empty=*/true);
    });
#endif
}

struct WindowDims {
    Dims strides;
    Dims kernel;   // pooling only
    Dims padding;  // the same on both sides
};

inline auto convolution_forward(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                const Desc& src, const Desc& weights, const Desc& bias,
                                const Desc& dst, const WindowDims& window, bool relu) {
    return make<dnnl::convolution_forward>(engine, attributes(relu), [&](const auto& create) {
        return create(dnnl::prop_kind::forward_training, algorithm, src, weights, bias, dst,
                      window.strides, window.padding, window.padding);
    });
}

inline auto convolution_backward_data(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                      const Desc& diff_src, const Desc& weights,
                                      const Desc& diff_dst, const WindowDims& window,
                                      const dnnl::convolution_forward::primitive_desc& hint) {
    const auto describe = [&](const auto& create) {
        return create(algorithm, diff_src, weights, diff_dst, window.strides, window.padding,
                      window.padding);
    };
    return make<dnnl::convolution_backward_data>(engine, attributes(), describe, hint);
}

inline auto convolution_backward_weights(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                         const Desc& src, const Desc& diff_weights,
                                         const Desc& diff_bias, const Desc& diff_dst,
                                         const WindowDims& window,
                                         const dnnl::convolution_forward::primitive_desc& hint) {
    const auto describe = [&](const auto& create) {
        return create(algorithm, src, diff_weights, diff_bias, diff_dst, window.strides,
                      window.padding, window.padding);
    };
    return make<dnnl::convolution_backward_weights>(engine, attributes(), describe, hint);
}

inline auto inner_product_forward(const dnnl::engine& engine, const Desc& src, const Desc& weights,
                                  const Desc& bias, const Desc& dst, bool relu) {
    return make<dnnl::inner_product_forward>(engine, attributes(relu), [&](const auto& create) {
        return create(dnnl::prop_kind::forward_training, src, weights, bias, dst);
    });
}

inline auto inner_product_backward_data(const dnnl::engine& engine, const Desc& diff_src,
                                        const Desc& weights, const Desc& diff_dst,
                                        const dnnl::inner_product_forward::primitive_desc& hint) {
    const auto describe = [&](const auto& create) { return create(diff_src, weights, diff_dst); };
    return make<dnnl::inner_product_backward_data>(engine, attributes(), describe, hint);
}

inline auto inner_product_backward_weights(
    const dnnl::engine& engine, const Desc& src, const Desc& diff_weights, const Desc& diff_bias,
    const Desc& diff_dst, const dnnl::inner_product_forward::primitive_desc& hint) {
    const auto describe = [&](const auto& create) {
        return create(src, diff_weights, diff_bias, diff_dst);
    };
    return make<dnnl::inner_product_backward_weights>(engine, attributes(), describe, hint);
}

/// `data` is the layout of source and destination alike.
inline auto batch_norm_forward(const dnnl::engine& engine, dnnl::prop_kind kind, const Desc& data,
                               float epsilon, dnnl::normalization_flags flags) {
    return make<dnnl::batch_normalization_forward>(engine, attributes(), [&](const auto& create) {
        if constexpr (kVersion2) {
            return create(kind, data, epsilon, flags);
        } else {
            return create(kind, data, data, epsilon, flags);
        }
    });
}

inline auto batch_norm_backward(const dnnl::engine& engine, const Desc& data, float epsilon,
                                dnnl::normalization_flags flags,
                                const dnnl::batch_normalization_forward::primitive_desc& hint) {
    const auto describe = [&](const auto& create) {
        if constexpr (kVersion2) {
            return create(dnnl::prop_kind::backward, data, data, epsilon, flags);
        } else {
            return create(dnnl::prop_kind::backward, data, data, data, epsilon, flags);
        }
    };
    return make<dnnl::batch_normalization_backward>(engine, attributes(), describe, hint);
}

inline auto max_pool_forward(const dnnl::engine& engine, const Desc& src, const Desc& dst,
                             const WindowDims& window) {
    return make<dnnl::pooling_forward>(engine, attributes(), [&](const auto& create) {
        if constexpr (kVersion2) {
            return create(dnnl::prop_kind::forward_training, dnnl::algorithm::pooling_max, src, dst,
                          window.strides, window.kernel, window.padding, window.padding);
        } else {
            return create(dnnl::prop_kind::forward_training, dnnl::algorithm::pooling_max, src, dst,
                          window.strides, window.kernel, Dims(window.kernel.size(), 0),
                          window.padding, window.padding);
        }
    });
}

inline auto max_pool_backward(const dnnl::engine& engine, const Desc& diff_src,
                              const Desc& diff_dst, const WindowDims& window,
                              const dnnl::pooling_forward::primitive_desc& hint) {
    const auto describe = [&](const auto& create) {
        if constexpr (kVersion2) {
            return create(dnnl::algorithm::pooling_max, diff_src, diff_dst, window.strides,
                          window.kernel, window.padding, window.padding);
        } else {
            return create(dnnl::algorithm::pooling_max, diff_src, diff_dst, window.strides,
                          window.kernel, Dims(window.kernel.size(), 0), window.padding,
                          window.padding);
        }
    };
    return make<dnnl::pooling_backward>(engine, attributes(), describe, hint);
}

/// Backward of a ReLU that was fused into the primitive before it: masks by its output, which may
/// be in place.
inline auto relu_backward(const dnnl::engine& engine, const Desc& data) {
    constexpr auto kRelu = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
    const auto forward = make<dnnl::eltwise_forward>(engine, attributes(), [&](const auto& create) {
        if constexpr (kVersion2) {
            return create(dnnl::prop_kind::forward_training, kRelu, data, 0.F, 0.F);
        } else {
            return create(dnnl::prop_kind::forward_training, kRelu, data, data, 0.F, 0.F);
        }
    });
    const auto describe = [&](const auto& create) {
        if constexpr (kVersion2) {
            return create(kRelu, data, data, 0.F, 0.F);
        } else {
            return create(kRelu, data, data, data, 0.F, 0.F);
        }
    };
    return make<dnnl::eltwise_backward>(engine, attributes(), describe, forward);
}

}  // namespace dp::core::onednn
