// The options of `dp_compare predict`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiments/predict/predict.hpp"

namespace dp::experiments::predict {

/// As CLI11 fills them.
struct RawOptions {
    std::optional<double> latency_us;
    std::optional<double> bandwidth_gb_per_s;
    std::string efficiency{"0.8"};
    Request request;
};

/// Adds the subcommand to `program`, which must have its defaults. `raw` outlives the parsing.
CLI::App& add_subcommand(CLI::App& program, RawOptions& raw);

/// Throws Error(kUsage).
Request finish(const RawOptions& raw);

}  // namespace dp::experiments::predict
