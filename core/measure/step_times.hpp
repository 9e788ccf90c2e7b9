// What each step took on one worker, phase by phase. A step of data-parallel training lasts as long
// as its slowest rank's, so that means over steps and ranks hide what it waits for.
//
// A step is told in microseconds, 4 bytes a part: 44 bytes a step and worker, and at most 2.9 MB
// for each worker of a run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/measure/phase_clock.hpp"

namespace dp::core {

/// The first kStepPhases sum to the step's time.
enum class StepPart : unsigned {
    kLoad,
    kForward,
    kBackward,
    kExchange,
    kUpdate,
    kPublish,
    kOther,           // since the step before, too
    kWait,            // for other ranks, a part of kExchange
    kHidden,          // exchange between the layers of backward, a part of kBackward
    kLateAtExchange,  // after the first rank to come with its gradients complete
    kLateAtPublish,   // likewise with its update done
};

inline constexpr std::size_t kStepPhases = 7;
inline constexpr std::array<std::string_view, 11> kStepPartNames{
    "load",  "forward", "backward", "exchange",         "update",         "publish",
    "other", "wait",    "hidden",   "late_at_exchange", "late_at_publish"};
inline constexpr std::size_t kStepParts = kStepPartNames.size();

/// Steps that are kept of a run, the first ones: an hour of steps of 50 ms.
inline constexpr std::size_t kMostStepsKept = std::size_t{1} << 16;

/// `seconds` in microseconds; below 0 it is 0, and more than 71 minutes count as that.
std::uint32_t to_microseconds(double seconds);

/// One worker's steps of one epoch: a column for each part, in the order of the steps; empty where
/// it does not apply.
struct EpochSteps {
    std::array<std::vector<std::uint32_t>, kStepParts> columns;

    [[nodiscard]] const std::vector<std::uint32_t>& operator[](StepPart part) const {
        return columns[static_cast<std::size_t>(part)];
    }
    std::vector<std::uint32_t>& operator[](StepPart part) {
        return columns[static_cast<std::size_t>(part)];
    }
    [[nodiscard]] std::size_t size() const { return columns.front().size(); }
    /// Microseconds of all phases of a step.
    [[nodiscard]] std::uint64_t whole(std::size_t step) const;
};

/// What a worker's clocks show, since its start.
struct StepMark {
    PhaseSeconds phases{};
    double wait_seconds = 0.0;
    double hidden_seconds = 0.0;
};

/// Thread safety: none; it is its worker's.
class StepRecorder {
public:
    /// Before the first step of an epoch of `steps` steps: takes room for them, so that end_step()
    /// allocates nothing.
    void begin_epoch(std::size_t steps, const StepMark& now);
    /// Keeps what the clocks have gained since the last call, unless kMostStepsKept are kept.
    void end_step(const StepMark& now);
    /// By epoch; the last call.
    [[nodiscard]] std::vector<EpochSteps> take() { return std::move(epochs_); }

private:
    std::vector<EpochSteps> epochs_;
    StepMark last_;
    std::size_t left_ = kMostStepsKept;
};

}  // namespace dp::core
