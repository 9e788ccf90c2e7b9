// The options of `dp_compare diff`.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "experiments/diff/diff.hpp"

namespace dp::experiments::diff {

/// As CLI11 fills them.
struct RawOptions {
    std::string fail_above;
    Request request;
};

/// Adds the subcommand to `program`, which must have its defaults. `raw` outlives the parsing.
CLI::App& add_subcommand(CLI::App& program, RawOptions& raw);

/// Throws Error(kUsage).
Request finish(const RawOptions& raw);

}  // namespace dp::experiments::diff
