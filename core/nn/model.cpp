#include "core/nn/model.hpp"

#include <array>

#include "core/base/join.hpp"

namespace dp::core {
namespace {

constexpr LayerSpec convolution(std::string_view name, std::size_t channels, std::size_t padding) {
    return {LayerKind::kConvolution, name, channels, 3, padding};
}
constexpr LayerSpec batch_norm(std::string_view name) { return {LayerKind::kBatchNorm, name}; }
constexpr LayerSpec relu() { return {LayerKind::kRelu, ""}; }
constexpr LayerSpec max_pool() { return {LayerKind::kMaxPool, "", 0, 2}; }
constexpr LayerSpec linear(std::string_view name, std::size_t features) {
    return {LayerKind::kLinear, name, features};
}
constexpr LayerSpec dropout() { return {LayerKind::kDropout, ""}; }

// clang-format off
constexpr std::array kCifarCnn{
    convolution("conv1", 32, 1), batch_norm("bn1"), relu(), max_pool(),
    convolution("conv2", 64, 1), batch_norm("bn2"), relu(), max_pool(),
    convolution("conv3", 128, 1), batch_norm("bn3"), relu(), max_pool(),
    linear("fc1", 512), relu(), dropout(),
    linear("fc2", kClasses),
};

constexpr std::array kSimpleCnn{
    convolution("conv1", 32, 0), relu(), max_pool(),
    convolution("conv2", 64, 0), relu(), max_pool(),
    linear("fc1", 128), relu(),
    linear("fc2", kClasses),
};

constexpr std::array kMnistCnn{
    convolution("conv1", 32, 0), relu(),
    linear("fc1", 128), relu(),
    linear("fc2", kClasses),
};

constexpr std::array<ModelSpec, 3> kModels{{
    {"cifar_cnn", "3 x (conv, batch norm, ReLU, pool), 2 linear, dropout", {3, 32, 32}, kCifarCnn, 1'147'914},
    {"simple_cnn", "2 x (conv, ReLU, pool), 2 linear", {3, 32, 32}, kSimpleCnn, 315'722},
    {"mnist_cnn", "1 x (conv, ReLU), 2 linear", {1, 28, 28}, kMnistCnn, 2'770'634},
}};
// clang-format on

}  // namespace

std::span<const ModelSpec> models() { return kModels; }

const ModelSpec& find_model(std::string_view name) {
    return find_named(kModels, name, "--model '{}' is not a network: choose one of {}");
}

}  // namespace dp::core
