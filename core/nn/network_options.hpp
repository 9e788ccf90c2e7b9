// How a network computes: what the user may choose about its primitives. Each choice is a row of a
// constexpr table that feeds the command line and the help.
#pragma once

#include <array>
#include <string_view>

namespace dp::core {

/// Algorithm of 3 x 3 convolutions.
enum class ConvolutionAlgorithm {
    kAuto,    // the fastest that oneDNN has for each layer and pass (convolution_algorithms.hpp)
    kDirect,  // the plain sum everywhere, closest to other programs' results
};

/// The type of activations and of the weights that convolutions and linear layers read. Parameters,
/// their gradients, sums and batch norm's statistics are float32 in both.
enum class Precision { kFloat32, kBFloat16 };

struct NetworkOptions {
    Precision precision = Precision::kFloat32;
    ConvolutionAlgorithm convolution = ConvolutionAlgorithm::kAuto;
    bool own_batch_norm_pool = true;  // false: oneDNN's primitives, to compare with
};

/// A value of an option, as the command line writes it.
template <typename Value>
struct OptionRow {
    std::string_view name;
    Value value;
    std::string_view description;
};

inline constexpr std::array kConvolutionAlgorithms{
    OptionRow<ConvolutionAlgorithm>{"auto", ConvolutionAlgorithm::kAuto,
                                    "Winograd where it is faster and oneDNN has it"},
    OptionRow<ConvolutionAlgorithm>{"direct", ConvolutionAlgorithm::kDirect,
                                    "the plain sum, closest to other programs' results"},
};

inline constexpr std::array kPrecisions{
    OptionRow<Precision>{"fp32", Precision::kFloat32, "float32 throughout"},
    OptionRow<Precision>{"bf16", Precision::kBFloat16,
                         "bfloat16 activations and weights, float32 parameters, gradients and "
                         "statistics; on CPUs with avx512_bf16 or AMX"},
};

/// The row of `rows` that holds `value`.
template <typename Rows, typename Value>
constexpr const auto& row_of(const Rows& rows, Value value) {
    for (const auto& row : rows) {
        if (row.value == value) return row;
    }
    return rows.front();
}

}  // namespace dp::core
