// The options of `dp_compare allreduce`.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiments/allreduce/benchmark.hpp"

namespace dp::experiments::allreduce {

/// As CLI11 fills them.
struct RawOptions {
    std::vector<std::string> workers{"2"};
    Request request;
};

/// Adds the subcommand to `program`, which must have its defaults. `raw` outlives the parsing.
CLI::App& add_subcommand(CLI::App& program, RawOptions& raw);

/// Throws Error(kUsage).
Request finish(const RawOptions& raw);

}  // namespace dp::experiments::allreduce
