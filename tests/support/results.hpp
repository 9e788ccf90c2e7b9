// Result files of runs that never ran, for tests of what reads them.
#pragma once

#include <filesystem>
#include <string>

#include "core/data/synthetic.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/results/run_file.hpp"

namespace dp::tests {

/// A run of one epoch whose steps took `step_seconds`, of which every rank computes all but a
/// hundredth; 100 steps of 128 images a rank.
inline experiments::Run made_run(const std::string& mode, std::size_t workers,
                                 std::size_t repetition, double step_seconds) {
    constexpr std::size_t kSteps = 100;
    experiments::Run record;
    record.settings.config.mode = mode;
    record.settings.config.workers = workers;
    record.settings.config.epochs = 1;
    record.repetition = record.sequence = repetition;
    record.started = "2026-01-31T23:59:59Z";
    core::RunResult result;
    result.checksum = "00000000000000ff";
    result.update_kind = mode == "threads" ? "sliced" : "replicated";
    result.reduction = "shared-direct";
    result.steps_per_epoch = kSteps;
    const double seconds = step_seconds * kSteps;
    result.epochs = {{kSteps * 128 * workers, 1.5, 0.5, 1.25, 0.625, seconds, 0.5}};
    result.test_accuracy = 0.625;
    for (std::size_t rank = 0; rank < (mode == "serial" ? 1 : workers); ++rank) {
        core::WorkerEpoch epoch;
        epoch.images = kSteps * 128;
        epoch.wall_seconds = seconds + 0.5;
        epoch.phase_seconds = {
            0.02 * seconds, 0.37 * seconds, 0.6 * seconds, 0.0, 0.01 * seconds, 0.0, 0.5, 0.0};
        result.workers.push_back({rank, 100 + static_cast<int>(rank), 0.25, {}, {}, {epoch}, {}});
        result.workers.back().cpus = {0, 1};
    }
    record.result = result;
    return record;
}

/// Writes such runs into a folder.
inline void write_made_run(const std::filesystem::path& folder, experiments::Run run) {
    static const core::Dataset data = core::make_synthetic(1, 20, 10);
    experiments::Machine machine;
    machine.cpu_model = "a CPU";
    machine.affinity = {0, 1};
    run.context = experiments::context_json(machine);
    run.settings.data = experiments::DataFacts(data);
    experiments::write_run(folder, run);
}

}  // namespace dp::tests
