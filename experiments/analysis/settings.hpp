// What has to be equal for two runs to be compared.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/results/results_folder.hpp"

namespace dp::experiments::analysis {

/// A setting that is not the same in all runs and should be.
struct Difference {
    std::string setting;              // "batch_size", "cpu_model"
    std::vector<std::string> values;  // the different ones, as JSON
};

/// The settings and the machine that a run's speed depends on, whatever its mode and N, as text:
/// runs with equal ones may be compared.
std::string comparable_settings(const Run& run);

/// Of all runs, what differs among those.
std::vector<Difference> find_differences(std::span<const Run> runs);

}  // namespace dp::experiments::analysis
