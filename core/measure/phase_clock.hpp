// Where a worker's time goes. One clock per worker, always in exactly one phase, so that the phases
// sum to the wall time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace dp::core {

enum class Phase : unsigned {
    kLoad,
    kForward,
    kBackward,
    kExchange,
    kUpdate,
    kPublish,
    kEvaluate,
    kOther
};

inline constexpr std::size_t kPhases = 8;
inline constexpr std::array<std::string_view, kPhases> kPhaseNames{
    "load", "forward", "backward", "exchange", "update", "publish", "evaluate", "other"};

constexpr std::string_view name_of(Phase phase) {
    return kPhaseNames[static_cast<std::size_t>(phase)];
}

using PhaseSeconds = std::array<double, kPhases>;

class PhaseClock {
public:
    using Clock = std::chrono::steady_clock;

    /// Ends the current phase, starts `phase` and returns the time.
    Clock::time_point enter(Phase phase) {
        const auto now = Clock::now();
        seconds_[static_cast<std::size_t>(current_)] +=
            std::chrono::duration<double>(now - since_).count();
        since_ = now;
        current_ = phase;
        return now;
    }

    /// Seconds in each phase since construction, up to the last enter().
    [[nodiscard]] const PhaseSeconds& seconds() const { return seconds_; }

private:
    PhaseSeconds seconds_{};
    Phase current_ = Phase::kOther;
    Clock::time_point since_ = Clock::now();
};

}  // namespace dp::core
