// What can be found wrong with a request before its first run, so that it fails now rather than
// after hours of training.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "core/data/dataset.hpp"
#include "core/nn/model.hpp"
#include "core/train/run_config.hpp"
#include "experiments/machine/machine.hpp"

namespace dp::experiments {

/// CPUs that a run keeps busy.
std::size_t cores_wanted(const core::RunConfig& config);
bool is_oversubscribed(const core::RunConfig& config, const Machine& machine);

/// All throw Error(kUsage or kResources) with the option, the value and the next step.
void check_shape(const core::ModelSpec& model, const core::Dataset& data);
void check_writable(const char* option, const std::filesystem::path& file);
/// oneDNN would emulate bfloat16, several times slower than float32.
void check_precision(const core::NetworkOptions& options, const Machine& machine);

/// One warning when any of `configurations` is oversubscribed.
void warn_oversubscribed(const std::vector<core::RunConfig>& configurations,
                         const Machine& machine);

}  // namespace dp::experiments
