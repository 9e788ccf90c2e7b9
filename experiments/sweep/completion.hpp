// What a sweep leaves in its folder beside the runs: the reductions timed alone, a trace of each
// parallel model, and the report made of all that.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "core/train/run_config.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/sweep/request.hpp"

namespace dp::experiments {

struct SweepReport {
    const Request& request;
    const std::vector<core::RunConfig>& configurations;
    const Machine& machine;
    /// Runs a configuration that is not counted and writes a trace of a few of its steps.
    std::function<void(const core::RunConfig& config, const std::filesystem::path& file)> trace;
};

/// Measures what the folder still lacks, then writes the report. What cannot be
/// measured or written costs a warning and not the runs. Throws Error(kInterrupted, kTerminated)
/// and, when a reduction has a wrong sum, Error(kVerification).
void complete_folder(const SweepReport& sweep);

/// Whether a file of this name is one that a sweep or its report wrote, beside the folder of plots.
bool is_sweeps_own(std::string_view name);

}  // namespace dp::experiments
