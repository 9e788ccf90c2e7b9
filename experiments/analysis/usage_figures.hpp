// What a configuration's runs used: metrics of their exchange and their scheduling, and memory.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "experiments/results/results_folder.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {

/// Of one run of a configuration: what its repetitions show.
struct Metrics {
    // Equal in every repetition.
    double exchange_calls_per_epoch = 0.0;
    double sent_bytes_per_epoch = 0.0;  // over all workers

    statistics::Summary exchange_seconds;   // of the run: transfer, waiting and what is hidden
    statistics::Summary iteration_seconds;  // mean time of a step, without cold ones
    /// Forward and backward over exchange; none where nothing is exchanged.
    std::optional<statistics::Summary> compute_to_communication;
    /// Of whole runs, start-up and evaluation included, against the baseline's, per image.
    std::optional<statistics::Summary> effective_speedup;
    // Per step of a worker, mean over the workers.
    statistics::Summary voluntary_switches_per_step;
    statistics::Summary involuntary_switches_per_step;
    /// Of a worker; none where the kernel does not tell.
    std::optional<statistics::Summary> migrations_per_epoch;
    statistics::Summary cpu_share;         // time on a CPU over wall time
    statistics::Summary start_up_seconds;  // until the last worker's first step
};

/// Physical memory of all processes of a run after its last epoch, in bytes, and what it holds.
/// Pages that several processes map count once.
struct Memory {
    std::size_t processes = 1;  // the workers' parent included
    statistics::Summary total_bytes;
    statistics::Summary private_bytes;  // pages that one process alone maps, over all processes
    double parameters_bytes = 0.0, gradients_bytes = 0.0, optimizer_bytes = 0.0;
    double activations_bytes = 0.0;
    double data_bytes = 0.0;  // one copy, which all share
    /// Code, libraries, oneDNN's own buffers, stacks: the median total less the above. None where
    /// that would be below 0, since part of what was allocated was never touched.
    std::optional<double> rest_bytes;
};

/// Requires steps in every run.
Metrics find_metrics(std::span<const Run> runs);

/// None where the kernel did not tell of a process.
std::optional<Memory> find_memory(std::span<const Run> runs);

}  // namespace dp::experiments::analysis
