#include "core/optim/sgd.hpp"

#include "core/base/finite.hpp"

namespace dp::core {
namespace {

class Sgd final : public Optimizer {
public:
    explicit Sgd(const OptimizerConfig& config) : config_(config) {}

    std::size_t state_blocks() const override { return 1; }

    bool update_part(const Part& part, float gradient_scale,
                     std::uint64_t /*step*/) const override {
        const auto rate = static_cast<float>(config_.learning_rate);
        const auto momentum = static_cast<float>(config_.momentum);
        const auto decay = static_cast<float>(config_.weight_decay);
        float* __restrict p = part.parameters;
        const float* __restrict g = part.gradients;
        float* __restrict v = part.state;
        LargestMagnitude largest;
        for (std::size_t i = 0; i < part.size; ++i) {
            v[i] = momentum * v[i] + (gradient_scale * g[i] + decay * p[i]);
            p[i] -= rate * v[i];
            largest.note(p[i]);  // not finite either when v is not
        }
        return largest.is_finite();
    }

private:
    OptimizerConfig config_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerConfig& config) {
    return std::make_unique<Sgd>(config);
}

}  // namespace dp::core
