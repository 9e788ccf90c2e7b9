// Where a worker is, told as it goes: to the clock of its phases, to the run's listener, to the
// times of its steps, and to the trace of the steps that are traced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/exchange/gradient_exchange.hpp"
#include "core/measure/phase_clock.hpp"
#include "core/measure/step_times.hpp"
#include "core/measure/trace.hpp"
#include "core/train/job.hpp"

namespace dp::core {

/// Thread safety: none; it is its worker's.
class Progress {
public:
    /// Of a worker that plays `ranks` ranks in turn, from `first_rank` on.
    Progress(const Job& job, std::size_t first_rank, std::size_t ranks);

    /// Before the first step: takes room for what the job's steps to trace record, however an
    /// exchange of `buckets` buckets among `workers` workers is cut into waits and pieces. Beyond a
    /// limit, of 25 MB, events are dropped and counted.
    void make_trace(std::size_t buckets, std::size_t workers);
    /// What was recorded; empty where nothing is traced.
    [[nodiscard]] WorkerTrace take_trace();

    void begin_epoch(std::size_t epoch) {
        epoch_ = epoch;
        step_ = 0;
    }
    /// The epoch's `steps` steps are next. `exchange` is what the worker's exchange has counted so
    /// far, here and below.
    void begin_steps(std::size_t steps, const ExchangeStats& exchange) {
        steps_.begin_epoch(steps, mark(exchange));
    }
    /// Returns the trace of step `step`; null where it is not traced.
    StepTrace* begin_step(std::size_t step);
    void end_step(const ExchangeStats& exchange) {
        recorder_ = nullptr;
        steps_.end_step(mark(exchange));
    }
    /// The times of all steps.
    [[nodiscard]] std::vector<EpochSteps> take_steps() { return steps_.take(); }
    /// From now on it is the turn of rank `rank`.
    void take_turn(std::size_t rank) { rank_ = rank; }

    /// Begins `phase`; returns the time, in nanoseconds of the steady clock.
    std::int64_t enter(Phase phase);

    [[nodiscard]] std::size_t epoch() const { return epoch_; }
    [[nodiscard]] std::size_t step() const { return step_; }
    /// Seconds in each phase, up to the last enter().
    [[nodiscard]] const PhaseTimes& times() const { return clock_.times(); }
    /// How long the thread had no CPU in load, forward and backward since the last call, up to the
    /// last enter().
    std::int64_t take_off_cpu_ns();
    /// Of the layers; null outside the steps that are traced.
    [[nodiscard]] LayerObserver* recorder() const { return recorder_; }

private:
    [[nodiscard]] StepMark mark(const ExchangeStats& exchange) const {
        return {clock_.times().wall, exchange.wait_seconds, exchange.hidden_seconds};
    }

    const Job& job_;
    const std::size_t first_rank_;
    const std::size_t ranks_;
    PhaseClock clock_;
    StepRecorder steps_;
    std::unique_ptr<StepTrace> trace_;  // null unless steps are to be traced
    StepTrace* recorder_ = nullptr;     // trace_ in one of those steps
    std::size_t rank_;                  // whose turn it is
    std::size_t epoch_ = 0;
    std::size_t step_ = 0;
    double off_cpu_taken_ = 0.0;  // seconds that take_off_cpu_ns() has told
};

}  // namespace dp::core
