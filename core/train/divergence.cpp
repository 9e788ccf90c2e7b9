#include "core/train/divergence.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

/// "of conv1.weight is nan" of the first of `values` that is not finite; or empty. The values are
/// those of `range`, once or several times.
std::string first_not_finite(const TensorLayout& layout, Range range,
                             std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i])) continue;
        const auto behind = std::ranges::upper_bound(
            layout.tensors(), range.offset + i % range.size, {}, &TensorRange::offset);
        return fmt::format("of {} is {}", std::prev(behind)->name,
                           std::isnan(values[i]) ? "nan" : "infinite");
    }
    return {};
}

}  // namespace

void throw_diverged(const Job& job, const TensorLayout& layout, std::span<const float> parameters,
                    std::span<const float> gradients, std::span<const RangeState> updated,
                    const StepPlace& place) {
    std::string what;
    const auto look = [&](const char* name, const auto& values_of) {
        for (const RangeState& own : updated) {
            const std::string found = first_not_finite(layout, own.range, values_of(own));
            if (found.empty()) continue;
            what = fmt::format("{} {}", name, found);
            return;
        }
    };
    const auto range_of = [](std::span<const float> block) {
        return [block](const RangeState& own) {
            return block.subspan(own.range.offset, own.range.size);
        };
    };
    // What came first is looked for last, so that it is what is told.
    look("optimizer state", [](const RangeState& own) { return own.state; });
    look("parameter", range_of(parameters));
    look("gradient", range_of(gradients));
    throw Error(ExitCode::kRunFailed,
                "epoch {}, step {}, rank {}: a {}: training has diverged; lower "
                "--lr (now {})",
                place.epoch + 1, place.step + 1, place.rank, what,
                job.config.optimizer.learning_rate);
}

void check_loss(const Job& job, std::size_t epoch, std::string_view which, double loss) {
    if (std::isfinite(loss)) return;
    throw Error(ExitCode::kRunFailed,
                "epoch {}: the {} loss is {}: training has diverged, or a checkpoint's had; lower "
                "--lr (now {})",
                epoch + 1, which, loss, job.config.optimizer.learning_rate);
}

}  // namespace dp::core
