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

/// Gives `run` steps of equal lengths: what its epochs say, which are one, of 50 ms. Ranks meet at
/// publish where `meets_at_publish`, and nobody is late.
inline void add_steps(experiments::Run& run, bool meets_at_publish) {
    using core::StepPart;
    const std::size_t steps = run.result.steps_per_epoch;
    for (core::WorkerReport& worker : run.result.workers) {
        core::EpochSteps& all = worker.steps.emplace_back();
        for (auto& column : all.columns) column.assign(steps, 0);
        all[StepPart::kLoad].assign(steps, 1'000);
        all[StepPart::kForward].assign(steps, 18'500);
        all[StepPart::kBackward].assign(steps, 30'000);
        all[StepPart::kUpdate].assign(steps, 500);
        if (run.result.workers.size() == 1) all[StepPart::kLateAtExchange].clear();
        if (!meets_at_publish) all[StepPart::kLateAtPublish].clear();
    }
}

/// Lets rank `rank` of two or more spend `microseconds` more in `part` of step `step`, and come as
/// much later to the meeting whose lateness is `meeting`, where the others wait.
inline void delay(experiments::Run& run, std::size_t rank, std::size_t step, core::StepPart part,
                  core::StepPart meeting, std::uint32_t microseconds) {
    using core::StepPart;
    const auto waits =
        meeting == StepPart::kLateAtExchange ? StepPart::kExchange : StepPart::kPublish;
    for (core::WorkerReport& worker : run.result.workers) {
        core::EpochSteps& steps = worker.steps.front();
        if (worker.rank == rank) {
            steps[part][step] += microseconds;
            steps[meeting][step] += microseconds;
        } else {
            steps[waits][step] += microseconds;
            if (waits == StepPart::kExchange) steps[StepPart::kWait][step] += microseconds;
        }
    }
}

/// A run of 100 steps of 50 ms in which rank `rank` is last in `steps_last` of the steps, by 5 ms
/// that it spends more in `part`, at publish or at the exchange; in the other steps the next rank
/// is.
inline experiments::Run made_straggler(const std::string& mode, std::size_t workers,
                                       std::size_t rank, core::StepPart part,
                                       std::size_t steps_last, bool at_publish) {
    experiments::Run run = made_run(mode, workers, 1, 0.05);
    add_steps(run, mode == "threads");
    const auto meeting =
        at_publish ? core::StepPart::kLateAtPublish : core::StepPart::kLateAtExchange;
    for (std::size_t step = 0; step < 100; ++step) {
        const bool last = step * steps_last % 100 < steps_last;  // evenly
        delay(run, last ? rank : (rank + 1) % workers, step, part, meeting, 5'000);
    }
    return run;
}

}  // namespace dp::tests
