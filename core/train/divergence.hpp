// The end of a run whose gradients, parameters or optimizer state are no longer finite numbers.
//
// The optimizer notices while it updates, so that looking costs nothing. A gradient that is not
// finite on one rank is not finite in the sum, and the update that notices comes before publish():
// so no rank begins another step.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/nn/tensor_layout.hpp"
#include "core/optim/optimizer.hpp"
#include "core/train/job.hpp"

namespace dp::core {

/// Where a run stands: the rank that says so, the epoch and the step within it, from 0.
struct StepPlace {
    std::size_t rank = 0;
    std::size_t epoch = 0;
    std::size_t step = 0;
};

/// A range that a worker updates, and the optimizer's state of it.
struct RangeState {
    Range range;
    std::span<float> state;  // as UpdateBlocks::state
};

/// Throws the Error(kRunFailed) that names the first tensor with a value that is not finite in
/// `updated`, what this rank has just updated and which has such a value.
[[noreturn]] void throw_diverged(const Job& job, const TensorLayout& layout,
                                 std::span<const float> parameters,
                                 std::span<const float> gradients,
                                 std::span<const RangeState> updated, const StepPlace& place);

/// Throws Error(kRunFailed) where `loss`, the `which` ("training") loss of epoch `epoch`, from 0,
/// is not finite. Where all ranks call it with the sum over all of them, they leave together.
void check_loss(const Job& job, std::size_t epoch, std::string_view which, double loss);

}  // namespace dp::core
