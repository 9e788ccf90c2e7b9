// What a configuration's runs used: metrics of their exchange and their scheduling, and memory.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "experiments/results/results_folder.hpp"

namespace dp::experiments::analysis {

/// Of one run of a configuration, medians over its repetitions.
struct Metrics {
    double exchange_calls_per_epoch = 0.0;
    double sent_bytes_per_epoch = 0.0;  // over all workers
    double exchange_seconds = 0.0;      // of the run: transfer, waiting and what is hidden
    double iteration_seconds = 0.0;     // mean time of a step
    /// Forward and backward over exchange; none where nothing is exchanged.
    std::optional<double> compute_to_communication;
    /// Of whole runs, start-up and evaluation included, against the baseline's, per image.
    std::optional<double> effective_speedup;
    // Per step of a worker, mean over the workers.
    double voluntary_switches_per_step = 0.0;
    double involuntary_switches_per_step = 0.0;
    std::optional<double> migrations_per_epoch;  // of a worker; none where the kernel does not tell
    double cpu_share = 0.0;                      // time on a CPU over wall time
    double start_up_seconds = 0.0;               // until the last worker's first step
};

/// Physical memory of all processes of a run after its last epoch, in bytes, and what it holds;
/// medians over the repetitions. Pages that several processes map count once.
struct Memory {
    std::size_t processes = 1;  // the workers' parent included
    double total_bytes = 0.0;
    double private_bytes = 0.0;  // pages that one process alone maps, over all processes
    double parameters_bytes = 0.0, gradients_bytes = 0.0, optimizer_bytes = 0.0;
    double activations_bytes = 0.0;
    double data_bytes = 0.0;  // one copy, which all share
    /// Code, libraries, oneDNN's own buffers, stacks: the total less the above. None where that
    /// would be below 0, since part of what was allocated was never touched.
    std::optional<double> rest_bytes;
};

/// Requires steps in every run.
Metrics find_metrics(std::span<const Run> runs);

/// None where the kernel did not tell of a process.
std::optional<Memory> find_memory(std::span<const Run> runs);

}  // namespace dp::experiments::analysis
