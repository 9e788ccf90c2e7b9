#include "core/optim/optimizer.hpp"

#include <array>
#include <atomic>

#include "core/base/join.hpp"
#include "core/base/parallel.hpp"
#include "core/optim/adam.hpp"
#include "core/optim/sgd.hpp"

namespace dp::core {
namespace {

struct OptimizerRow {
    std::string_view name;
    double learning_rate;
    double weight_decay;
    std::unique_ptr<Optimizer> (*make)(const OptimizerConfig&);
};

constexpr std::array kOptimizers{
    OptimizerRow{"sgd", 0.01, 1e-4, make_sgd},
    OptimizerRow{"adam", 1e-3, 0.0, make_adam},
};

const OptimizerRow& find(std::string_view name) {
    return find_named(kOptimizers, name, "--optimizer '{}' is not known: choose one of {}");
}

}  // namespace

OptimizerConfig OptimizerConfig::defaults(std::string_view name) {
    const OptimizerRow& row = find(name);
    OptimizerConfig config;
    config.name = row.name;
    config.learning_rate = row.learning_rate;
    config.weight_decay = row.weight_decay;
    return config;
}

bool Optimizer::update(const UpdateBlocks& blocks, Range range, float gradient_scale,
                       std::uint64_t step) const {
    std::atomic<bool> finite = true;
    parallel_parts(range.size, [&](std::size_t first, std::size_t last) {
        const Part part{blocks.parameters.data() + range.offset + first,
                        blocks.gradients.data() + range.offset + first, blocks.state.data() + first,
                        last - first, range.size};
        if (!update_part(part, gradient_scale, step)) finite = false;
    });
    return finite;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config) {
    return find(config.name).make(config);
}

std::string optimizer_names() { return join(kOptimizers, ", ", &OptimizerRow::name); }

}  // namespace dp::core
