#include "core/train/progress.hpp"

#include <algorithm>
#include <utility>

namespace dp::core {

Progress::Progress(const Job& job, std::size_t first_rank, std::size_t ranks)
    : job_(job), first_rank_(first_rank), ranks_(ranks), rank_(first_rank) {}

void Progress::make_trace(std::size_t buckets, std::size_t workers) {
    if (!job_.config.trace) return;
    constexpr std::size_t kMostEvents = std::size_t{1} << 18;
    const StepRange& range = *job_.config.trace;
    const std::size_t per_step = 64 * ranks_ + 32 * buckets * (1 + workers);
    const std::size_t steps = range.last - range.first + 1;
    trace_ = std::make_unique<StepTrace>(range, std::min(kMostEvents, steps * per_step));
}

WorkerTrace Progress::take_trace() { return trace_ ? trace_->take() : WorkerTrace{}; }

StepTrace* Progress::begin_step(std::size_t step) {
    step_ = step;
    if (!trace_ || !trace_->wants(epoch_, step_)) return nullptr;
    trace_->begin_step(step_);
    return recorder_ = trace_.get();
}

std::int64_t Progress::enter(Phase phase) {
    const auto time = clock_.enter(phase);
    if (recorder_ != nullptr) recorder_->enter(phase, time, rank_);
    const bool in_turn =
        phase == Phase::kLoad || phase == Phase::kForward || phase == Phase::kBackward;
    const Range played = in_turn ? Range{rank_, 1} : Range{first_rank_, ranks_};
    job_.listener->on_phase({first_rank_ / ranks_, epoch_, step_, phase, played});
    return StepTrace::nanoseconds(time);
}

std::int64_t Progress::take_off_cpu_ns() {
    const PhaseTimes& times = clock_.times();
    double seconds = 0.0;
    for (const Phase phase : {Phase::kLoad, Phase::kForward, Phase::kBackward}) {
        const auto at = static_cast<std::size_t>(phase);
        seconds += times.wall[at] - times.cpu[at];
    }
    const double since = seconds - std::exchange(off_cpu_taken_, seconds);
    return static_cast<std::int64_t>(since * 1e9);
}

}  // namespace dp::core
