// The options of training: those of the settings' table, and what a sweep is told besides.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// As CLI11 fills them.
struct RawTraining {
    std::vector<std::string> modes{"serial"};
    std::vector<std::string> workers{"1"};
    std::vector<std::string> settings;  // the text of each row of the table, in its order
    std::filesystem::path resume;
    bool no_report = false;
    bool no_ceiling = false;
    Request request;
};

/// Adds the options to `program`, which must have its defaults. `raw` outlives the parsing.
void add_training_options(CLI::App& program, RawTraining& raw);

/// What `program` was given. Throws Error(kUsage) that names the option, the value and the next
/// step.
Request finish_training(const CLI::App& program, const RawTraining& raw);

}  // namespace dp::experiments
