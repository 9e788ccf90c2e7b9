#include "core/nn/initial_parameters.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/random.hpp"

namespace dp::core {

void fill_initial_parameters(const TensorLayout& layout, std::uint64_t seed,
                             std::span<float> parameters) {
    std::vector<float> values;
    for (std::size_t k = 0; k < layout.tensors().size(); ++k) {
        const TensorRange& tensor = layout.tensors()[k];
        values.assign(tensor.elements, 0.F);
        if (tensor.fan_in != 0) {
            const float bound = 1.F / std::sqrt(static_cast<float>(tensor.fan_in));
            const RandomStream stream(seed, RandomUse::kInitialParameters, {k});
            for (std::size_t i = 0; i < values.size(); ++i) {
                values[i] = (2.F * stream.uniform(i) - 1.F) * bound;
            }
        } else if (tensor.name.ends_with(".weight")) {
            std::ranges::fill(values, 1.F);
        }
        layout.from_plain(values, k, parameters);
    }
}

void fill_initial_statistics(const TensorLayout& layout, std::span<float> statistics) {
    for (std::size_t k = 0; k < layout.tensors().size(); ++k) {
        const TensorRange& tensor = layout.tensors()[k];
        const float value = tensor.name.ends_with(".running_var") ? 1.F : 0.F;
        layout.from_plain(std::vector<float>(tensor.elements, value), k, statistics);
    }
}

}  // namespace dp::core
