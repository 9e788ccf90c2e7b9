// The options of `dp_compare diff` and `dp_compare ab`.
#pragma once

#include <array>
#include <string>

#include <CLI/CLI.hpp>

#include "experiments/diff/ab.hpp"
#include "experiments/diff/diff.hpp"

namespace dp::experiments::diff {

/// As CLI11 fills them.
struct RawOptions {
    std::string before, after;  // folders, with commas between
    std::string fail_above;
    std::string between_sweeps;
    Request request;
};

/// Adds the subcommand to `program`, which must have its defaults. `raw` outlives the parsing.
CLI::App& add_subcommand(CLI::App& program, RawOptions& raw);

/// Throws Error(kUsage).
Request finish(const RawOptions& raw);

struct RawAbOptions {
    std::array<std::string, 2> commands;
    std::string fail_above;
    AbRequest request;
};

/// The same of `ab`.
CLI::App& add_ab_subcommand(CLI::App& program, RawAbOptions& raw);
AbRequest finish(const RawAbOptions& raw);

}  // namespace dp::experiments::diff
