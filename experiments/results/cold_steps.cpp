#include "experiments/results/cold_steps.hpp"

#include <algorithm>
#include <span>

#include "experiments/modes.hpp"
#include "experiments/statistics/series.hpp"

namespace dp::experiments {

std::vector<double> step_seconds(const core::RunResult& result) {
    std::vector<double> seconds;
    if (result.workers.empty()) return seconds;
    for (std::size_t epoch = 0; epoch < result.workers.front().steps.size(); ++epoch) {
        for (std::size_t step = 0; step < result.workers.front().steps[epoch].size(); ++step) {
            std::uint64_t longest = 0;
            for (const core::WorkerReport& worker : result.workers) {
                longest = std::max(longest, worker.steps[epoch].whole(step));
            }
            seconds.push_back(1e-6 * static_cast<double>(longest));
        }
    }
    return seconds;
}

void note_cold_steps(Run& run) {
    core::RunResult& result = run.result;
    const std::vector<double> seconds = step_seconds(result);
    if (seconds.empty()) return;
    const core::EpochSteps& first = result.workers.front().steps.front();
    result.cold_steps = statistics::find_warm_up(std::span(seconds).first(first.size()));
    // Batches are whole but for the last of an epoch, which is not cold.
    result.cold_images = result.cold_steps * global_batch(run.settings.config);
    result.cold_seconds = 0.0;
    for (std::size_t step = 0; step < result.cold_steps; ++step) {
        result.cold_seconds += 1e-6 * static_cast<double>(first.whole(step));
    }
}

}  // namespace dp::experiments
