// Which algorithm each pass of a 3 x 3 convolution takes, by measurement. For core/nn alone.
//
// Winograd F(4x4, 3x3) needs a quarter of direct convolution's multiplications and rounds more:
// errors of 1e-5 (forward, backward by data) and 4e-5 (backward by weights) of the result's root
// mean square, against 1e-6. Source: Lavin and Gray, "Fast algorithms for convolutional neural
// networks", 2016. oneDNN 2.x has it for float32, 3.x dropped it, and neither has it for bfloat16;
// what a version lacks falls to the next row. On the 3 channels of an image it is 6 times slower.
//
// Milliseconds on one AVX-512 core of 117 GFLOP/s, batch 128, oneDNN 2.6.3:
//
//                               conv2 32->64, 16x16     conv3 64->128, 8x8
//                               direct   Winograd       direct   Winograd
//     forward                      9.7        4.5          8.9        4.8
//     backward by data             9.9        5.1          9.1        5.5
//     backward by weights         10.9        5.6         10.4        4.2
#pragma once

#include <array>

#include <dnnl.hpp>

#include "core/nn/network_options.hpp"

namespace dp::core {

/// An algorithm and the layers it suits. Passes do not differ: what is faster in one is faster in
/// all three.
struct ConvolutionAlgorithmRow {
    dnnl_dim_t channels;  // inputs and outputs are multiples of it
    dnnl::algorithm algorithm;
};

/// The algorithms in order of preference.
inline constexpr std::array kConvolutionChoices{
    ConvolutionAlgorithmRow{16, dnnl::algorithm::convolution_winograd},
    ConvolutionAlgorithmRow{1, dnnl::algorithm::convolution_direct},
};

/// The first of `create`(algorithm) that oneDNN has, for weights (out, in, height, width). Empty
/// when it has none.
template <typename Create>
auto with_chosen_algorithm(const dnnl::memory::dims& weights, ConvolutionAlgorithm choice,
                           const Create& create) {
    const bool winograd =
        choice == ConvolutionAlgorithm::kAuto && weights[2] == 3 && weights[3] == 3;
    for (const ConvolutionAlgorithmRow& row : kConvolutionChoices) {
        const bool fits = weights[0] % row.channels == 0 && weights[1] % row.channels == 0 &&
                          (winograd || row.algorithm == dnnl::algorithm::convolution_direct);
        if (!fits) continue;
        if (auto desc = create(row.algorithm)) return desc;
    }
    return decltype(create(dnnl::algorithm::convolution_direct)){};
}

/// True where float32 Winograd beats bfloat16 in backward by weights, by more than the conversion
/// of its operands: 4.5 against 6.6 ms for conv3, but 6.6 against 6.2 for conv2.
inline bool prefers_float_backward_weights(const dnnl::memory::dims& weights,
                                           ConvolutionAlgorithm choice) {
    return choice == ConvolutionAlgorithm::kAuto && weights[0] % 64 == 0 && weights[1] % 64 == 0 &&
           weights[2] == 3 && weights[3] == 3;
}

}  // namespace dp::core
