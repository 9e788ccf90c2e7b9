// Checkpoints to write, to damage and to compare.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.hpp"
#include "tests/support/data.hpp"

namespace dp::tests {

inline core::NamedTensor tensor_of(std::string name, std::vector<std::int64_t> shape) {
    std::size_t elements = 1;
    for (const std::int64_t dimension : shape) elements *= static_cast<std::size_t>(dimension);
    core::NamedTensor tensor{std::move(name), std::move(shape), std::vector<float>(elements)};
    for (std::size_t i = 0; i < elements; ++i) {
        tensor.values[i] = static_cast<float>(i) - 0.1F * static_cast<float>(tensor.name.size());
    }
    return tensor;
}

inline core::StateDict cifar_cnn() {
    core::StateDict state;
    std::int64_t inputs = 3;
    for (const std::int64_t layer : {1, 2, 3}) {
        const std::int64_t outputs = 16 << layer;
        const std::string conv = "conv" + std::to_string(layer);
        const std::string norm = "bn" + std::to_string(layer);
        state.tensors.push_back(tensor_of(conv + ".weight", {outputs, inputs, 3, 3}));
        state.tensors.push_back(tensor_of(conv + ".bias", {outputs}));
        for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"}) {
            state.tensors.push_back(tensor_of(norm + name, {outputs}));
        }
        for (float& variance : state.tensors.back().values) variance = std::abs(variance);
        inputs = outputs;
    }
    state.tensors.push_back(tensor_of("fc1.weight", {512, 2048}));
    state.tensors.push_back(tensor_of("fc1.bias", {512}));
    state.tensors.push_back(tensor_of("fc2.weight", {10, 512}));
    state.tensors.push_back(tensor_of("fc2.bias", {10}));
    state.batches_tracked = 391;
    return state;
}

/// Two values and a counter: small enough to damage at every byte.
inline core::StateDict small_state() {
    return {{tensor_of("bn1.running_mean", {2}), tensor_of("a", {})}, 7, {{"epoch", "3"}}};
}

inline std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
    write_file(file, Bytes(text.begin(), text.end()));
}

inline std::string length_prefix(std::uint64_t length) {
    std::string text;
    for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(length >> shift);
    return text;
}

}  // namespace dp::tests
