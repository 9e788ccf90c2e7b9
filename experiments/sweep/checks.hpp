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
#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// CPUs that the ranks of `config` are bound to: rank r to the one at place r modulo their number;
/// empty: none is bound, or ranks on other machines choose theirs. In a rank that a launcher has
/// started, those of its process at their places. Throws Error(kUsage) where --bind names one that
/// is none of the topology's.
std::vector<int> cpus_of_ranks(const core::RunConfig& config, const Topology& topology);
/// CPUs that a run keeps busy.
std::size_t cores_wanted(const core::RunConfig& config);
bool is_oversubscribed(const core::RunConfig& config, const Machine& machine);

/// All throw Error(kUsage or kResources) with the option, the value and the next step.
/// A mode that this machine cannot run.
void check_modes(const Request& request);
void check_shape(const core::ModelSpec& model, const core::Dataset& data);
/// Makes the folders that `file` needs.
void prepare_file(const char* option, const std::filesystem::path& file);
/// A batch of more images than there are would silently be a smaller one.
void check_batch(const Request& request, std::size_t training_images);
/// A folder of files for data that is made would silently be ignored.
void check_data_dir(const Request& request);
/// CPUs of --bind that are not there.
void check_cpus(const std::vector<core::RunConfig>& configurations, const Machine& machine);
/// oneDNN would emulate bfloat16, several times slower than float32.
void check_precision(const core::NetworkOptions& options, const Machine& machine);

/// One warning when any of `configurations` is oversubscribed.
void warn_oversubscribed(const std::vector<core::RunConfig>& configurations,
                         const Machine& machine);

}  // namespace dp::experiments
