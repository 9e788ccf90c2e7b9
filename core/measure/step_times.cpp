#include "core/measure/step_times.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace dp::core {
namespace {

// In the order of StepPart. Nothing is evaluated within a step.
constexpr std::array<Phase, kStepPhases> kPhasesOfStep{
    Phase::kLoad,   Phase::kForward, Phase::kBackward, Phase::kExchange,
    Phase::kUpdate, Phase::kPublish, Phase::kOther};

}  // namespace

std::uint32_t to_microseconds(double seconds) {
    constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::clamp(std::round(1e6 * seconds), 0.0, kMost));
}

std::uint64_t EpochSteps::whole(std::size_t step) const {
    return std::accumulate(
        columns.begin(), columns.begin() + kStepPhases, std::uint64_t{0},
        [step](std::uint64_t sum, const auto& part) { return sum + part[step]; });
}

void StepRecorder::begin_epoch(std::size_t steps, const StepMark& now) {
    EpochSteps& epoch = epochs_.emplace_back();
    for (auto& column : epoch.columns) column.reserve(std::min(steps, left_));
    last_ = now;
}

void StepRecorder::end_step(const StepMark& now) {
    const StepMark before = std::exchange(last_, now);
    if (left_ == 0) return;
    --left_;
    EpochSteps& epoch = epochs_.back();
    for (std::size_t i = 0; i < kStepPhases; ++i) {
        const auto phase = static_cast<std::size_t>(kPhasesOfStep[i]);
        epoch.columns[i].push_back(to_microseconds(now.phases[phase] - before.phases[phase]));
    }
    epoch[StepPart::kWait].push_back(to_microseconds(now.wait_seconds - before.wait_seconds));
    epoch[StepPart::kHidden].push_back(to_microseconds(now.hidden_seconds - before.hidden_seconds));
}

}  // namespace dp::core
