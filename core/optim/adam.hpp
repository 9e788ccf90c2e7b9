// Adam. Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
#pragma once

#include "core/optim/optimizer.hpp"

namespace dp::core {

/// m = beta1 m + (1 - beta1) g;  s = beta2 s + (1 - beta2) g^2;
/// p = p - learning_rate / (1 - beta1^t) * m / (sqrt(s / (1 - beta2^t)) + epsilon), with g
/// including weight_decay p (torch.optim.Adam).
std::unique_ptr<Optimizer> make_adam(const OptimizerConfig& config);

}  // namespace dp::core
