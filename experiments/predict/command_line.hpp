// The options of `dp_compare predict`.
#pragma once

#include <CLI/CLI.hpp>

#include "experiments/predict/predict.hpp"

namespace dp::experiments::predict {

/// Adds the subcommand to `program`, which must have its defaults. `request`, which CLI11 fills,
/// outlives the parsing.
CLI::App& add_subcommand(CLI::App& program, Request& request);

/// Returns `request` as it is. Throws Error(kUsage) for what does not fit together.
Request finish(Request request);

}  // namespace dp::experiments::predict
