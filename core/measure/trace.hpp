// What one rank did in a few chosen steps, and when: phases, layers, and its part of the exchange.
//
// A StepTrace belongs to its rank's thread and writes into memory that it took before the first
// step: recording neither allocates nor waits. All times are nanoseconds of the steady clock
// (CLOCK_MONOTONIC), which is one for all processes of a machine. What of one rank led to what of
// another is left to whoever has all ranks' events (experiments/trace_arrows.hpp).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/measure/phase_clock.hpp"
#include "core/nn/step.hpp"

namespace dp::core {

/// Steps of an epoch, counted from 1, both ends included.
struct StepRange {
    std::size_t first = 1;
    std::size_t last = 1;

    bool operator==(const StepRange&) const = default;
};

/// The steps to trace of an epoch of `steps`: `asked`, which may reach beyond the last one, or
/// without it three that come after the first ones' warming up, as far as there are so many. Throws
/// Error(kUsage) when none of the steps asked for exists.
StepRange choose_trace_steps(const std::optional<StepRange>& asked, std::size_t steps);

enum class TraceKind : std::uint8_t {
    kPhase,
    kLayer,     // its forward or backward, as `phase` says
    kHandOver,  // of `count` buckets from `bucket` on
    kSum,       // of a bucket over all ranks' blocks
    kTransfer,  // one step of a ring for one bucket
    kWait,      // for rank `peer`
    kBarrier,   // for all ranks
};

/// What does not apply to an event.
inline constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// One stretch of one rank's time.
struct TraceEvent {
    TraceKind kind = TraceKind::kPhase;
    Phase phase = Phase::kOther;  // during which it happened
    std::uint16_t name = 0;       // in WorkerTrace::names
    std::size_t step = kNone;     // from 1
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::int64_t told_ns = 0;  // before others were told of its first result; 0: of none
    std::size_t bucket = kNone;
    std::size_t count = kNone;  // of buckets handed over at once
    /// The rank it uses something of, or waits for; of load, forward and backward, the rank that is
    /// played.
    std::size_t peer = kNone;
    std::size_t ring_step = kNone;
    std::size_t group = kNone;  // of a bucket that is too long to go around at once
    std::size_t bytes = kNone;  // of gradients, as ExchangeStats::sent_bytes counts them

    bool operator==(const TraceEvent&) const = default;
};

struct WorkerTrace {
    std::vector<std::string> names;
    std::vector<TraceEvent> events;  // by end
    std::uint64_t dropped = 0;       // events for which there was no room

    bool operator==(const WorkerTrace&) const = default;
};

void to_json(nlohmann::ordered_json& json, const WorkerTrace& trace);
/// Throws what nlohmann::json throws when it is none.
void from_json(const nlohmann::ordered_json& json, WorkerTrace& trace);

class StepTrace final : public LayerObserver {
public:
    using Clock = std::chrono::steady_clock;

    /// Records `steps` of the first epoch, `capacity` events at most.
    StepTrace(StepRange steps, std::size_t capacity);

    /// `step` counts from 0.
    [[nodiscard]] bool wants(std::size_t epoch, std::size_t step) const {
        return epoch == 0 && step + 1 >= steps_.first && step + 1 <= steps_.last;
    }
    void begin_step(std::size_t step) { step_ = step + 1; }
    /// Ends the current phase and starts `phase`, which belongs to rank `rank`; kOther ends the
    /// step.
    void enter(Phase phase, Clock::time_point now, std::size_t rank);

    void on_layer_begin(std::string_view name) override;
    void on_layer_end() override;

    /// Keeps `event`, named `name`, as of this step and phase; counts it as dropped where there is
    /// no room for it or for its name. A transfer that goes on where the last event ended becomes
    /// one with it. `name` must live until take().
    void record(TraceEvent event, std::string_view name) noexcept;

    [[nodiscard]] static std::int64_t nanoseconds(Clock::time_point time) {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch())
            .count();
    }
    [[nodiscard]] static std::int64_t now() { return nanoseconds(Clock::now()); }

    /// What was recorded; the last call.
    [[nodiscard]] WorkerTrace take();

private:
    static constexpr std::size_t kMostNames = 64;

    [[nodiscard]] bool goes_on(const TraceEvent& event) const;
    /// None when there is no room for another name.
    std::optional<std::uint16_t> intern(std::string_view name);

    StepRange steps_;
    std::vector<TraceEvent> events_;  // as long as the capacity; the first size_ are in use
    std::size_t size_ = 0;
    std::uint64_t dropped_ = 0;
    std::array<std::string_view, kMostNames> names_{};
    std::size_t name_count_ = 0;
    std::size_t step_ = 0;
    Phase phase_ = Phase::kOther;
    std::int64_t phase_begin_ns_ = 0;
    std::size_t phase_rank_ = kNone;
    std::string_view layer_;
    std::int64_t layer_begin_ns_ = 0;
};

/// Records the time from its construction to its destruction as `event`, named `name`, a literal;
/// does nothing where `trace` is null.
class TraceSpan {
public:
    TraceSpan(StepTrace* trace, std::string_view name, const TraceEvent& event) : trace_(trace) {
        if (trace_ == nullptr) return;
        name_ = name;
        event_ = event;
        event_.begin_ns = StepTrace::now();
    }
    TraceSpan(const TraceSpan&) = delete;
    TraceSpan& operator=(const TraceSpan&) = delete;
    ~TraceSpan() {
        if (trace_ == nullptr) return;
        event_.end_ns = StepTrace::now();
        trace_->record(event_, name_);
    }

    /// Others are about to be told of a first result.
    void tell() {
        if (trace_ != nullptr) event_.told_ns = StepTrace::now();
    }

private:
    StepTrace* trace_;
    std::string_view name_;
    TraceEvent event_;
};

/// Records a wait for rank `peer` that has just ended after `seconds`, if it took any; does nothing
/// where `trace` is null. `what` says what that rank had to do.
void record_wait(StepTrace* trace, double seconds, std::string_view what, std::size_t peer,
                 std::size_t bucket = kNone);

}  // namespace dp::core
