#include "core/optim/adam.hpp"

#include <cmath>

#include "core/base/finite.hpp"

namespace dp::core {
namespace {

class Adam final : public Optimizer {
public:
    explicit Adam(const OptimizerConfig& config) : config_(config) {}

    std::size_t state_blocks() const override { return 2; }

    bool update_part(const Part& part, float gradient_scale, std::uint64_t step) const override {
        // In double until the end, as PyTorch's scalars: 1 - 0.999 in float is off by 1e-5.
        const auto t = static_cast<double>(step);
        const double first = 1.0 - std::pow(config_.beta1, t);
        const double second = 1.0 - std::pow(config_.beta2, t);
        const auto rate = static_cast<float>(config_.learning_rate / first);
        const auto root_scale = static_cast<float>(1.0 / std::sqrt(second));
        const auto beta1 = static_cast<float>(config_.beta1);
        const auto beta2 = static_cast<float>(config_.beta2);
        const auto rest1 = static_cast<float>(1.0 - config_.beta1);
        const auto rest2 = static_cast<float>(1.0 - config_.beta2);
        const auto decay = static_cast<float>(config_.weight_decay);
        const auto epsilon = static_cast<float>(config_.epsilon);
        float* __restrict p = part.parameters;
        const float* __restrict g = part.gradients;
        float* __restrict m = part.state;
        float* __restrict s = m + part.state_stride;
        LargestMagnitude largest;
        for (std::size_t i = 0; i < part.size; ++i) {
            const float gradient = gradient_scale * g[i] + decay * p[i];
            m[i] = beta1 * m[i] + rest1 * gradient;
            s[i] = beta2 * s[i] + rest2 * (gradient * gradient);
            p[i] -= rate * m[i] / (std::sqrt(s[i]) * root_scale + epsilon);
            largest.note(p[i]);
            largest.note(s[i]);  // overflows before the gradient does, and p then stands still
        }
        return largest.is_finite();
    }

private:
    OptimizerConfig config_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerConfig& config) {
    return std::make_unique<Adam>(config);
}

}  // namespace dp::core
