#include "multiproc/mpi/clocks.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/check.hpp"

namespace dp::multiproc {
namespace {

/// One machine's clock, told by two readings.
class MachineClock {
public:
    MachineClock(const ClockReading& start, const ClockReading& end)
        : start_(start),
          rate_(end.own_ns == start.own_ns ? 1.0
                                           : static_cast<double>(end.first_ns - start.first_ns) /
                                                 static_cast<double>(end.own_ns - start.own_ns)),
          error_ns_(std::max(start.error_ns, end.error_ns)) {}

    /// What rank 0's clock said when this one said `own_ns`.
    [[nodiscard]] std::int64_t to_first(std::int64_t own_ns) const {
        return start_.first_ns + std::llround(rate_ * static_cast<double>(own_ns - start_.own_ns));
    }
    [[nodiscard]] core::ClockFit fit() const {
        return {static_cast<double>(start_.own_ns - start_.first_ns) * 1e-9,
                (1.0 / rate_ - 1.0) * 1e6, static_cast<double>(error_ns_) * 1e-9};
    }

private:
    ClockReading start_;
    double rate_;  // seconds of rank 0's clock in one of this
    std::int64_t error_ns_;
};

void align(core::WorkerReport& worker, const MachineClock& clock) {
    for (core::StepArrivals& arrivals : worker.arrivals) {
        for (std::int64_t& time : arrivals.exchange_ns) time = clock.to_first(time);
        for (std::int64_t& time : arrivals.publish_ns) time = clock.to_first(time);
    }
    for (core::TraceEvent& event : worker.trace.events) {
        event.begin_ns = clock.to_first(event.begin_ns);
        event.end_ns = clock.to_first(event.end_ns);
        if (event.told_ns != 0) event.told_ns = clock.to_first(event.told_ns);
    }
}

void leave_out(core::WorkerReport& worker) {
    worker.trace = {};
    worker.arrivals.clear();
}

/// Two ranks' times are compared, so that both may be wrong.
bool close_enough(const core::RunResult& result) {
    double most = 0.0;
    for (const core::WorkerReport& worker : result.workers) {
        if (worker.clock) most = std::max(most, 2.0 * worker.clock->error_seconds);
    }
    const auto steps = static_cast<double>(result.steps_per_epoch * result.epochs.size());
    return most * steps <= kMostClockError * result.train_seconds();
}

}  // namespace

void align_times(core::RunResult& result, std::span<const ClockReading> start,
                 std::span<const ClockReading> end, std::size_t threads) {
    DP_CHECK(start.size() * threads, ==, result.workers.size());
    DP_CHECK(end.size(), ==, start.size());
    for (core::WorkerReport& worker : result.workers) {
        const std::size_t process = worker.rank / threads;
        if (process == 0) continue;
        const MachineClock clock(start[process], end[process]);
        worker.clock = clock.fit();
        align(worker, clock);
    }
    result.times_left_out = !close_enough(result);
    if (result.times_left_out) std::ranges::for_each(result.workers, leave_out);
}

}  // namespace dp::multiproc
