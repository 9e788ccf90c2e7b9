#include "core/measure/trace.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"

namespace dp::core {

using Json = nlohmann::ordered_json;

namespace {

// The first steps touch their memory and fill the caches.
constexpr StepRange kUsualSteps{11, 13};

}  // namespace

StepRange choose_trace_steps(const std::optional<StepRange>& asked, std::size_t steps) {
    if (steps == 0) {
        throw Error(ExitCode::kUsage,
                    "--trace: the run has no training step to trace: leave it out, or train with "
                    "--epochs and --steps of 1 or more");
    }
    if (!asked) {
        const std::size_t last = std::min(kUsualSteps.last, steps);
        const std::size_t count = kUsualSteps.last - kUsualSteps.first + 1;
        return {last - std::min(count, last) + 1, last};
    }
    if (asked->first > steps) {
        throw Error(ExitCode::kUsage, "--trace-steps {}-{}: the epoch has {} steps: choose of them",
                    asked->first, asked->last, steps);
    }
    return {asked->first, std::min(asked->last, steps)};
}

StepTrace::StepTrace(StepRange steps, std::size_t capacity) : steps_(steps), events_(capacity) {}

void StepTrace::enter(Phase phase, Clock::time_point now, std::size_t rank) {
    const std::int64_t now_ns = nanoseconds(now);
    if (phase_ != Phase::kOther) {
        TraceEvent event;
        event.begin_ns = phase_begin_ns_;
        event.end_ns = now_ns;
        event.peer = phase_rank_;
        record(event, name_of(phase_));
    }
    phase_ = phase;
    phase_begin_ns_ = now_ns;
    phase_rank_ = rank;
}

void StepTrace::on_layer_begin(std::string_view name) {
    layer_ = name;
    layer_begin_ns_ = now();
}

void StepTrace::on_layer_end() {
    TraceEvent event;
    event.kind = TraceKind::kLayer;
    event.begin_ns = layer_begin_ns_;
    event.end_ns = now();
    record(event, layer_);
}

void StepTrace::record(TraceEvent event, std::string_view name) noexcept {
    event.step = step_;
    event.phase = phase_;
    if (event.kind == TraceKind::kTransfer && goes_on(event)) {
        TraceEvent& last = events_[size_ - 1];
        last.end_ns = event.end_ns;
        last.bytes += event.bytes;
        return;
    }
    const auto number = size_ < events_.size() ? intern(name) : std::nullopt;
    if (!number) {
        ++dropped_;
        return;
    }
    event.name = *number;
    events_[size_++] = event;
}

bool StepTrace::goes_on(const TraceEvent& event) const {
    if (size_ == 0) return false;
    const TraceEvent& last = events_[size_ - 1];
    return last.kind == event.kind && last.step == event.step && last.phase == event.phase &&
           last.bucket == event.bucket && last.group == event.group &&
           last.ring_step == event.ring_step;
}

std::optional<std::uint16_t> StepTrace::intern(std::string_view name) {
    const auto end = names_.begin() + static_cast<std::ptrdiff_t>(name_count_);
    const auto found = std::find(names_.begin(), end, name);
    if (found == end) {
        if (name_count_ == names_.size()) return std::nullopt;
        names_[name_count_++] = name;
    }
    return static_cast<std::uint16_t>(found - names_.begin());
}

WorkerTrace StepTrace::take() {
    WorkerTrace trace;
    trace.names.assign(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(name_count_));
    events_.resize(size_);
    trace.events = std::move(events_);
    trace.dropped = dropped_;
    return trace;
}

void record_wait(StepTrace* trace, double seconds, std::string_view what, std::size_t peer,
                 std::size_t bucket) {
    if (trace == nullptr || seconds <= 0.0) return;
    const std::int64_t now = StepTrace::now();
    trace->record({.kind = TraceKind::kWait,
                   .begin_ns = now - static_cast<std::int64_t>(seconds * 1e9),
                   .end_ns = now,
                   .bucket = bucket,
                   .peer = peer},
                  what);
}

// Found by nlohmann::json through argument-dependent lookup. An event is an array of its members;
// kNone becomes -1.
void to_json(Json& json, const TraceEvent& event) {
    json = {static_cast<unsigned>(event.kind), static_cast<unsigned>(event.phase), event.name};
    for (const std::size_t number : {event.step, event.bucket, event.count, event.peer,
                                     event.ring_step, event.group, event.bytes}) {
        json.push_back(static_cast<std::int64_t>(number));
    }
    for (const std::int64_t time : {event.begin_ns, event.end_ns, event.told_ns}) {
        json.push_back(time);
    }
}

void from_json(const Json& json, TraceEvent& event) {
    event.kind = static_cast<TraceKind>(json.at(0).get<unsigned>());
    event.phase = static_cast<Phase>(json.at(1).get<unsigned>());
    event.name = json.at(2).get<std::uint16_t>();
    std::size_t at = 3;
    for (std::size_t* number : {&event.step, &event.bucket, &event.count, &event.peer,
                                &event.ring_step, &event.group, &event.bytes}) {
        *number = static_cast<std::size_t>(json.at(at++).get<std::int64_t>());
    }
    for (std::int64_t* time : {&event.begin_ns, &event.end_ns, &event.told_ns}) {
        *time = json.at(at++).get<std::int64_t>();
    }
}

void to_json(Json& json, const WorkerTrace& trace) {
    json = {{"names", trace.names}, {"events", trace.events}, {"dropped", trace.dropped}};
}

void from_json(const Json& json, WorkerTrace& trace) {
    json.at("names").get_to(trace.names);
    json.at("events").get_to(trace.events);
    json.at("dropped").get_to(trace.dropped);
}

}  // namespace dp::core
