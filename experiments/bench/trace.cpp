// What measuring costs: one event of a trace, and one change of phase, in nanoseconds of CPU time,
// which other programs' turns on the core do not count in.
//
//   dp_bench_trace
//
// Prints the medians of 15 rounds: of a layer's two calls, which are an event, of a span where
// tracing is off, and of a change of phase, which reads the steady clock and the thread's CPU time.
#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/measure/trace.hpp"

namespace {

using namespace dp::core;

constexpr std::size_t kEvents = 100'000;

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Nanoseconds of CPU time of one of kEvents calls of `work`(index), after `prepare`().
double median_nanoseconds(const auto& prepare, const auto& work) {
    std::vector<double> rounds(15);
    for (double& round : rounds) {
        prepare();
        const double start = cpu_seconds();
        for (std::size_t i = 0; i < kEvents; ++i) work(i);
        round = (cpu_seconds() - start) * 1e9 / static_cast<double>(kEvents);
    }
    std::ranges::nth_element(rounds, rounds.begin() + 7);
    return rounds[7];
}

}  // namespace

int main() {
    constexpr std::array<std::string_view, 10> kNames{"conv1", "bn1", "conv2",   "bn2", "conv3",
                                                      "bn3",   "fc1", "dropout", "fc2", "loss"};
    std::optional<StepTrace> trace;
    const double event = median_nanoseconds(
        [&] {
            trace.emplace(StepRange{1, 1}, kEvents + 1);
            trace->begin_step(0);
            trace->enter(Phase::kForward, StepTrace::Clock::now(), 0);
        },
        [&](std::size_t i) {
            trace->on_layer_begin(kNames[i % kNames.size()]);
            trace->on_layer_end();
        });
    // Not a constant, or the compiler would drop the span.
    StepTrace* volatile nobody = nullptr;
    const double off = median_nanoseconds(
        [] {},
        [&](std::size_t i) {
            const TraceSpan span(nobody, "sum", {.kind = TraceKind::kSum, .bucket = i});
        });
    PhaseClock clock;
    const double phase = median_nanoseconds(
        [] {}, [&](std::size_t i) { clock.enter(static_cast<Phase>(i % kPhases)); });
    fmt::print("event_ns {:.1f}\noff_ns {:.1f}\nphase_ns {:.1f}\n", event, off, phase);
}
