// Stochastic gradient descent with momentum.
#pragma once

#include "core/optim/optimizer.hpp"

namespace dp::core {

/// v = momentum v + (g + weight_decay p);  p = p - learning_rate v  (torch.optim.SGD, dampening 0,
/// no Nesterov).
std::unique_ptr<Optimizer> make_sgd(const OptimizerConfig& config);

}  // namespace dp::core
