// What the workers of a run report, added up: the one place that divides their seconds into parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "core/train/run_result.hpp"
#include "experiments/statistics/waterfall.hpp"

namespace dp::experiments {

/// The sum of `value` of every worker's epochs.
double sum_of(const core::RunResult& result, const auto& value) {
    double sum = 0.0;
    for (const core::WorkerReport& worker : result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) {
            sum += static_cast<double>(value(epoch));
        }
    }
    return sum;
}

/// How long a worker had no CPU in these phases of an epoch; 0 where that is not known.
double off_cpu_seconds(const core::WorkerEpoch& epoch, std::initializer_list<core::Phase> phases);

/// Seconds of the training steps of one worker and epoch, none of them below 0 but
/// wait_for_off_cpu; start_up is 0.
statistics::TimeParts time_parts(const core::WorkerEpoch& epoch);
/// The same of a whole run, mean over the workers. start_up is the time until the first step. All 0
/// for a run without epochs.
statistics::TimeParts time_parts(const core::RunResult& result);

/// Forward and backward over the exchange; none where one worker has nobody to communicate with.
std::optional<double> compute_to_communication(const core::RunResult& result);

/// Images trained on by all workers in one epoch; 0 of a run without epochs.
double images_per_epoch(const core::RunResult& result);

/// Training steps of the run.
double steps_of(const core::RunResult& result);

/// Switches of one `kind` that a worker makes in a step, mean over the workers. Requires steps.
double per_step(const core::RunResult& result, std::int64_t core::ThreadUsage::*kind);

/// From the run's start until the last worker began its first step.
double set_up_seconds(const core::RunResult& result);

/// Moves to another CPU over all workers and epochs; none where the kernel does not tell.
std::optional<double> migrations_of(const core::RunResult& result);

/// Processes of the run, the one that started the workers included.
std::size_t processes_of(const core::RunResult& result);
/// `field` over those processes; none unless all of them are known. Ranks of one process share its
/// figures, which one of them tells.
std::optional<std::uint64_t> process_bytes(const core::RunResult& result,
                                           std::uint64_t core::ProcessMemory::*field);
/// `field` over the ranks.
std::uint64_t allocated_bytes(const core::RunResult& result,
                              std::uint64_t core::WorkerMemory::*field);

}  // namespace dp::experiments
