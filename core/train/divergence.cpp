#include "core/train/divergence.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

/// "of conv1.weight is nan" of the first value of `block` that is not finite; or empty.
std::string first_not_finite(const TensorLayout& layout, std::span<const Range> ranges,
                             std::span<const float> block) {
    for (const Range& range : ranges) {
        for (std::size_t i = range.offset; i < range.offset + range.size; ++i) {
            if (std::isfinite(block[i])) continue;
            const auto behind =
                std::ranges::upper_bound(layout.tensors(), i, {}, &TensorRange::offset);
            return fmt::format("of {} is {}", std::prev(behind)->name,
                               std::isnan(block[i]) ? "nan" : "infinite");
        }
    }
    return {};
}

}  // namespace

void throw_diverged(const Job& job, const TensorLayout& parameters, const UpdateBlocks& blocks,
                    std::span<const Range> ranges, const StepPlace& place) {
    std::string what;
    const auto look = [&](const char* name, std::span<const float> block) {
        const std::string found = first_not_finite(parameters, ranges, block);
        if (!found.empty()) what = fmt::format("{} {}", name, found);
    };
    // What came first is looked for last, so that it is what is told.
    for (std::size_t at = 0; at < blocks.state.size(); at += parameters.size()) {
        look("optimizer state", blocks.state.subspan(at, parameters.size()));
    }
    look("parameter", blocks.parameters);
    look("gradient", blocks.gradients);
    throw Error(ExitCode::kRunFailed,
                "epoch {}, step {}, rank {}: a {}: training has diverged; lower "
                "--lr (now {})",
                place.epoch + 1, place.step + 1, place.rank, what,
                job.config.optimizer.learning_rate);
}

}  // namespace dp::core
