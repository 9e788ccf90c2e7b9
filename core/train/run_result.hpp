// What a run yields: per epoch what it learned, per worker where its time went. Written as JSON by
// the workers and read back by the process that started them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/exchange/gradient_exchange.hpp"
#include "core/measure/lateness.hpp"
#include "core/measure/phase_clock.hpp"
#include "core/measure/step_times.hpp"
#include "core/measure/trace.hpp"
#include "core/measure/usage.hpp"

namespace dp::core {

/// One worker's share of one epoch.
struct WorkerEpoch {
    std::size_t images = 0;     // trained on
    double wall_seconds = 0.0;  // of training and evaluation, as this worker saw it
    PhaseSeconds phase_seconds{};
    ExchangeStats exchange;
    ThreadUsage usage;
    Lateness late_at_exchange;  // none in serial, where nobody meets
    Lateness late_at_publish;   // none where ranks do not meet there, or one updates for all
    /// On a CPU. None where several threads compute for the worker.
    std::optional<PhaseSeconds> phase_cpu_seconds = {};
    /// find_wait_for_off_cpu(); none where ranks' times cannot be compared, or as the last.
    std::optional<double> wait_for_off_cpu_seconds = {};
};

/// Bytes that a worker allocated for itself. What all ranks share is rank 0's.
struct WorkerMemory {
    std::uint64_t parameters_bytes = 0;
    std::uint64_t gradients_bytes = 0;
    std::uint64_t optimizer_bytes = 0;
    std::uint64_t activations_bytes = 0;
};

/// How the clock of another machine stands to rank 0's. Both are taken to run evenly.
struct ClockFit {
    double offset_seconds = 0.0;  // that it is ahead when training begins
    double drift_ppm = 0.0;       // microseconds that it gains in a second
    double error_seconds = 0.0;   // the most by which a time of it is wrong after alignment
};

struct WorkerReport {
    std::size_t rank = 0;
    int pid = 0;
    double setup_seconds = 0.0;  // from the run's start to this worker's first step
    WorkerMemory memory;
    /// Of this worker's process after the last epoch, when all ranks still hold all their memory:
    /// their use does not shrink before. Where several are one process, rank 0's alone.
    std::optional<ProcessMemory> process_memory;
    std::vector<WorkerEpoch> epochs;
    std::vector<StepArrivals> arrivals;  // by epoch, until attribute_lateness()
    WorkerTrace trace = {};              // not for the run's file
    std::vector<EpochSteps> steps = {};  // by epoch; not for the run's file
    std::size_t threads = 1;             // that compute for it, as OpenMP told in the worker
    std::vector<int> cpus = {};          // that its thread may run on, as the kernel told there
    std::optional<ClockFit> clock = {};  // none: its clock is rank 0's
};

/// One epoch over all ranks.
struct EpochResult {
    std::size_t images = 0;  // trained on by all ranks
    double train_loss = 0.0;
    double train_accuracy = 0.0;  // in [0, 1], of the forward passes that trained
    double test_loss = 0.0;
    double test_accuracy = 0.0;
    double train_seconds = 0.0;       // wall time of the training steps, on rank 0
    double evaluation_seconds = 0.0;  // of the test set after them
};

struct RunResult {
    std::vector<EpochResult> epochs;
    std::vector<WorkerReport> workers;
    double total_seconds = 0.0;  // wall time of the workers, set-up and evaluation included
    double test_loss = 0.0;      // of the final parameters, as are the next two
    double test_accuracy = 0.0;
    std::string checksum;     // 16 hexadecimal digits
    std::string update_kind;  // of the exchange's traits, as is the next
    std::string reduction;
    std::size_t steps_per_epoch = 0;
    std::size_t batches_tracked = 0;
    std::size_t exchange_buckets = 0;
    std::optional<ProcessMemory> supervisor_memory;  // of the workers' parent, as process_memory
    /// The clocks of the workers' machines could not be compared closely enough, so that there are
    /// neither lateness nor traces.
    bool times_left_out = false;
    /// The first steps, while the run was warming up, which whoever reads the steps' times has
    /// found; what they trained on, and their time on rank 0.
    std::size_t cold_steps = 0;
    std::size_t cold_images = 0;
    double cold_seconds = 0.0;

    [[nodiscard]] double train_seconds() const;
    /// Images trained on by all ranks per second of training, without the cold steps; 0 when
    /// nothing was trained.
    [[nodiscard]] double images_per_second() const;
    /// Mean time of a step that is not cold; requires one.
    [[nodiscard]] double step_seconds() const;
    /// Seconds in each phase over all epochs, mean over the workers.
    [[nodiscard]] PhaseSeconds mean_phase_seconds() const;
};

/// Turns all workers' arrivals, where there are any, into each epoch's lateness, that of each step
/// that is kept and what is waited for ranks off their CPUs, and drops them.
void attribute_lateness(RunResult& result);

void to_json(nlohmann::ordered_json& json, const WorkerEpoch& epoch);
void from_json(const nlohmann::ordered_json& json, WorkerEpoch& epoch);
void to_json(nlohmann::ordered_json& json, const WorkerReport& worker);
void from_json(const nlohmann::ordered_json& json, WorkerReport& worker);
void to_json(nlohmann::ordered_json& json, const RunResult& result);
void from_json(const nlohmann::ordered_json& json, RunResult& result);

}  // namespace dp::core
