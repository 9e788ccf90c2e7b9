// Folders of results that never ran, for tests of the report.
#pragma once

#include <optional>

#include "core/train/run_result.hpp"
#include "tests/support/data.hpp"
#include "tests/support/results.hpp"

namespace dp::tests {

/// `repetitions` runs whose steps take a little longer each time, by `step_spread` of the first.
inline void write_repetitions(const TemporaryFolder& folder, const std::string& mode,
                              std::size_t workers, double step_seconds, std::size_t repetitions = 5,
                              double step_spread = 0.002) {
    for (std::size_t repetition = 1; repetition <= repetitions; ++repetition) {
        const double longer = 1.0 + step_spread * static_cast<double>(repetition - 1);
        write_made_run(folder.path(), made_run(mode, workers, repetition, step_seconds * longer));
    }
}

/// A run of 100 steps of 50 ms in which rank `rank` spends 5 ms more in `phase`, and is last in
/// `steps_last` of the steps by as much, at publish or at the exchange.
inline experiments::Run made_straggler(const std::string& mode, std::size_t workers,
                                       std::size_t rank, core::Phase phase,
                                       std::uint64_t steps_last, bool at_publish) {
    experiments::Run record = made_run(mode, workers, 1, 0.05);
    for (core::WorkerReport& worker : record.result.workers) {
        core::WorkerEpoch& epoch = worker.epochs.front();
        core::Lateness& late = at_publish ? epoch.late_at_publish : epoch.late_at_exchange;
        if (worker.rank == rank) {
            late = {steps_last, 0.005 * static_cast<double>(steps_last)};
            epoch.phase_seconds[static_cast<std::size_t>(phase)] += 0.5;
        } else {
            late = {(100 - steps_last) / (workers - 1), 0.0};
            epoch.phase_seconds[static_cast<std::size_t>(core::Phase::kExchange)] += 0.5;
            epoch.exchange.wait_seconds = 0.5;
        }
    }
    return record;
}

}  // namespace dp::tests
