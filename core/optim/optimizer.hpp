// Optimizers act on a range of flat blocks, element by element: who updates which range is the
// backend's business, and any split of the block into ranges gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/range.hpp"

namespace dp::core {

struct OptimizerConfig {
    std::string name = "sgd";
    double learning_rate = 0.01;
    double momentum = 0.9;       // sgd
    double weight_decay = 1e-4;  // of every parameter, biases included, as in PyTorch
    double beta1 = 0.9;          // adam
    double beta2 = 0.999;        // adam
    double epsilon = 1e-8;       // adam

    /// PyTorch's usual start for the optimizer called `name`. Throws Error(kUsage) that lists the
    /// names.
    static OptimizerConfig defaults(std::string_view name);
};

/// The flat blocks of one update of a range. `state` is that of the range alone: state_blocks()
/// blocks as long as the range, one after another.
struct UpdateBlocks {
    std::span<float> parameters;
    std::span<const float> gradients;  // summed over the ranks
    std::span<float> state;
};

/// Thread safety: const; any number of threads may update disjoint ranges at once.
class Optimizer {
public:
    virtual ~Optimizer() = default;

    /// Floats of state for each parameter, zero before the first step.
    [[nodiscard]] virtual std::size_t state_blocks() const = 0;

    /// One step on `range`, on all threads that compute for the calling worker. `gradient_scale`
    /// (1 / world size) turns the sum of gradients into their mean; `step` counts from 1 over the
    /// whole run. Returns whether the parameters and the state written are all finite, which a
    /// gradient that is not finite never leaves them.
    [[nodiscard]] bool update(const UpdateBlocks& blocks, Range range, float gradient_scale,
                              std::uint64_t step) const;

protected:
    /// Consecutive elements of a range, each pointer at the first one's.
    struct Part {
        float* parameters;
        const float* gradients;
        float* state;
        std::size_t size;
        std::size_t state_stride;  // from an element of a state block to that of the next
    };

private:
    /// update() of `part`, on the calling thread alone.
    [[nodiscard]] virtual bool update_part(const Part& part, float gradient_scale,
                                           std::uint64_t step) const = 0;
};

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config);

/// "sgd, adam", for the help text.
std::string optimizer_names();

}  // namespace dp::core
