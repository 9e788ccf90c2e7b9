// Where the time of a run went, in the shapes that the statistics take.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "core/train/run_result.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/statistics/waterfall.hpp"

namespace dp::experiments::report {

/// Of the training steps of one epoch, mean over the workers and the epochs; start_up is the time
/// until the first step, spread over the epochs. All 0 for a run without epochs.
statistics::TimeParts epoch_parts(const core::RunResult& result);

/// The typical epoch of repetitions: their parts' sum, scaled to their median total. At least one
/// run.
statistics::TimeParts typical_epoch(std::span<const StoredRun> runs);

/// Images trained on by all workers in one epoch.
double images_per_epoch(const core::RunResult& result);

/// Exchange counts of a whole run.
struct ExchangeTotals {
    double calls = 0.0;            // of one worker
    double sent_bytes = 0.0;       // over all workers
    double wait_seconds = 0.0;     // the next three are means over the workers
    double exposed_seconds = 0.0;  // transfer and reduction after backward
    double hidden_seconds = 0.0;   // and between its layers
    double publish_seconds = 0.0;  // waiting until all have updated
    double compute_seconds = 0.0;  // forward and backward, without hidden

    [[nodiscard]] double seconds() const {
        return wait_seconds + exposed_seconds + hidden_seconds + publish_seconds;
    }
};

ExchangeTotals exchange_totals(const core::RunResult& result);

}  // namespace dp::experiments::report
