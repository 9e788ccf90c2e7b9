// Why N workers are not N times as fast: the way from the ideal time, T(1) / N, to the measured one
// in steps that each have a cause.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::statistics {

/// Where one worker's time goes, in seconds per epoch, mean over the workers. The parts exclude
/// each other and sum to the time.
struct TimeParts {
    double load = 0.0;
    double forward = 0.0;
    double backward = 0.0;  // without the transfer that it hides
    double transfer_exposed = 0.0;
    double transfer_hidden = 0.0;  // between layers of backward, on the worker's own core
    double wait = 0.0;             // for another worker, in the exchange
    double update = 0.0;
    double publish = 0.0;  // waiting until all have updated
    double other = 0.0;
    double start_up = 0.0;
    // Of the above, not beside them.
    double off_cpu = 0.0;  // of forward and backward: the worker had no CPU
    /// Of wait: for workers that had no CPU; below 0 where the worker had none itself meanwhile.
    double wait_for_off_cpu = 0.0;

    [[nodiscard]] double total() const;
    [[nodiscard]] double transfer() const { return transfer_exposed + transfer_hidden; }
    [[nodiscard]] double waiting() const { return wait + publish; }
    [[nodiscard]] double exchange() const { return transfer() + waiting(); }
    TimeParts& operator+=(const TimeParts& more);
    TimeParts& operator*=(double factor);
};

enum class Cause {
    kComputeInflation,
    kPreemption,
    kExposedTransfer,
    kHiddenTransfer,
    kWait,
    kLoad,
    kUpdate,
    kStartUp,
    kOther
};

struct CauseRow {
    Cause cause;
    std::string_view name;
    std::string_view meaning;
    double (*seconds)(const TimeParts& parts);
};

inline constexpr std::array<CauseRow, 9> kCauses{{
    {Cause::kComputeInflation, "compute inflation",
     "forward and backward take more CPU time for the same images when several workers compute, "
     "which share caches, memory bandwidth and the clock",
     [](const TimeParts& parts) { return parts.forward + parts.backward - parts.off_cpu; }},
    {Cause::kPreemption, "preemption",
     "workers that had work had no CPU, and others waited for them",
     [](const TimeParts& parts) { return parts.off_cpu + parts.wait_for_off_cpu; }},
    {Cause::kExposedTransfer, "exposed transfer",
     "gradients are summed and sent after backward, while nothing else goes on",
     [](const TimeParts& parts) { return parts.transfer_exposed; }},
    {Cause::kHiddenTransfer, "hidden transfer",
     "gradients are summed and sent between the layers of backward, on the worker's own core",
     [](const TimeParts& parts) { return parts.transfer_hidden; }},
    {Cause::kWait, "wait", "workers wait for the slowest one of each step",
     [](const TimeParts& parts) { return parts.wait + parts.publish - parts.wait_for_off_cpu; }},
    {Cause::kLoad, "load", "batches take longer to load than with one worker",
     [](const TimeParts& parts) { return parts.load; }},
    {Cause::kUpdate, "update",
     "every worker's update takes its time, however many share the images",
     [](const TimeParts& parts) { return parts.update; }},
    {Cause::kStartUp, "start-up", "starting the workers is not shared among them",
     [](const TimeParts& parts) { return parts.start_up; }},
    {Cause::kOther, "other", "what no phase accounts for",
     [](const TimeParts& parts) { return parts.other; }},
}};

const CauseRow& row_of(Cause cause);

struct WaterfallPart {
    Cause cause = Cause::kOther;
    double seconds = 0.0;  // what it adds to the ideal time; below 0 where it saves
    std::optional<Summary> repetitions = {};  // what it adds in each; none where not told
};

/// What each cause adds, in the order of kCauses.
using CauseSeconds = std::array<double, kCauses.size()>;

/// The part that adds most, and what comes next.
struct MainCause {
    WaterfallPart part;
    WaterfallPart next;
    /// Repetitions show, each with 95 %, that it adds time, and more than the next.
    bool shown = false;
};

struct Waterfall {
    std::size_t workers = 1;
    double ideal_seconds = 0.0;                       // T(1) / N
    std::array<WaterfallPart, kCauses.size()> parts;  // in the order of kCauses
    double measured_seconds = 0.0;  // T(N) = ideal_seconds + the parts' sum, but for rounding
    std::vector<CauseSeconds> pairs = {};  // of each repetition that both have
    bool cpu_time_known = false;           // else what is preemption counts as compute inflation

    /// Below 0 for a superlinear speedup.
    [[nodiscard]] double lost_seconds() const { return measured_seconds - ideal_seconds; }
    /// None where nothing is lost.
    [[nodiscard]] std::optional<MainCause> main_cause() const;
    /// `part` over what is lost in all; above 1 where other parts save time. Requires a loss.
    [[nodiscard]] double share(const WaterfallPart& part) const;
};

/// `one` of one worker and `several` of `workers` of them, both for the same images in all. A part
/// adds what it takes with N workers beyond an N-th of what it takes with one. Requires finite
/// parts, and times above 0: CheckFailure.
Waterfall waterfall(const TimeParts& one, const TimeParts& several, std::size_t workers);

/// One sentence that names the main cause with its number where it is shown, or says that nothing
/// is lost. `whose` is what the workers are called: "threads", "procs".
std::string describe(const Waterfall& waterfall, std::string_view whose);

}  // namespace dp::experiments::statistics
