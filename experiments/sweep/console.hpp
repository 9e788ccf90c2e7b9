// What a run prints: results on stdout, progress and warnings on stderr. A console may be copied by
// fork: every line is written whole and flushed at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/data/dataset.hpp"
#include "core/nn/model.hpp"
#include "core/train/job.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/text/terminal.hpp"

namespace dp::experiments {

struct ConsoleOptions {
    bool quiet = false;  // neither machine, plan nor epochs
    bool verbose = false;
    bool progress = false;  // one refreshing line, if stderr is a terminal
};

/// A run among those of its sweep.
struct RunPlace {
    std::size_t number = 1;  // from 1
    std::size_t count = 1;
    /// The seconds that all later runs take together, when this one takes `seconds`.
    std::function<double(double seconds)> seconds_after;
};

class Console final : public core::RunListener {
public:
    explicit Console(ConsoleOptions options) : options_(options), progress_(options.progress) {}

    /// One line each for host, CPUs, oneDNN, data and network.
    void print_machine(const Machine& machine);
    void print_data(const core::Dataset& data, const core::ModelSpec& model);
    /// One line on what is about to run; following events are of this run.
    void begin_run(const core::RunConfig& config, std::size_t steps_per_epoch, bool oversubscribed,
                   RunPlace place = {});
    /// Speed, time, accuracy, time split, checksum.
    void print_summary(const core::RunResult& result, bool oversubscribed);
    /// The progress line, for what is done beside runs. It must be cleared when a run has ended:
    /// another process has shown it.
    [[nodiscard]] const ProgressLine& progress() const { return progress_; }

    void on_worker_start(std::size_t rank, int pid) override;
    void on_step(std::size_t epoch, std::size_t step, std::size_t steps,
                 std::size_t images) override;
    void on_epoch(std::size_t epoch, const core::EpochResult& result) override;

private:
    void print_plan(std::size_t steps_per_epoch, bool oversubscribed) const;
    /// Which run it is, then `more`.
    void show_progress(std::vector<std::string> more) const;

    ConsoleOptions options_;
    ProgressLine progress_;
    RunPlace place_;
    core::RunConfig config_;
    std::chrono::steady_clock::time_point epoch_start_;
    std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace dp::experiments
