// What a run prints: results on stdout, progress and warnings on stderr. A console may be copied by
// fork: every line is written whole and flushed at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/data/dataset.hpp"
#include "core/nn/model.hpp"
#include "core/train/job.hpp"
#include "experiments/machine/machine.hpp"

namespace dp::experiments {

struct ConsoleOptions {
    bool quiet = false;  // neither machine, plan nor epochs
    bool verbose = false;
    bool progress = false;  // one refreshing line on stderr
};

class Console final : public core::RunListener {
public:
    explicit Console(ConsoleOptions options) : options_(options) {}

    /// One line each for host, CPUs, oneDNN, data and network.
    void print_machine(const Machine& machine);
    void print_data(const core::Dataset& data, const core::ModelSpec& model);
    /// One line on what is about to run; following events are of this run.
    void begin_run(const core::RunConfig& config, std::size_t steps_per_epoch, bool oversubscribed);
    /// Speed, time, accuracy, time split, checksum.
    void print_summary(const core::RunResult& result, bool oversubscribed);
    /// Clears the progress line that a run left when it failed; it was shown by another process.
    void end_progress() const;

    void on_worker_start(std::size_t rank) override;
    void on_step(std::size_t epoch, std::size_t step, std::size_t steps,
                 std::size_t images) override;
    void on_epoch(std::size_t epoch, const core::EpochResult& result) override;

private:
    ConsoleOptions options_;
    core::RunConfig config_;
    std::chrono::steady_clock::time_point epoch_start_;
    std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace dp::experiments
