// The command line of dp_compare: what was asked, checked and turned into runs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/train/run_config.hpp"
#include "experiments/allreduce/benchmark.hpp"

namespace dp::experiments {

struct Request {
    std::vector<std::string> modes;
    std::vector<std::size_t> workers;
    core::RunConfig base;  // mode, workers and batch_size differ from run to run
    std::optional<std::size_t> global_batch;
    std::filesystem::path data_dir;
    std::filesystem::path out;    // empty: no files
    std::filesystem::path trace;  // empty: none
    std::optional<core::StepRange> trace_steps;
    bool force = false;  // overwrite results in `out`
    bool dry_run = false;
    bool verbose = false;
    bool quiet = false;
};

/// Training, a subcommand, or text.
using Parsed = std::variant<Request, allreduce::Request, std::string>;

/// What to do, or (--help, --version) what to print and be done. Throws Error(kUsage) that names
/// the option, the value and the next step.
Parsed parse_command_line(int argc, const char* const* argv);

/// The runs of a request, in order: for each worker count, each mode. Beside other modes serial
/// runs once, with one worker, first: it is their baseline. Throws Error(kUsage) when a global
/// batch cannot be shared out.
std::vector<core::RunConfig> plan_runs(const Request& request);

}  // namespace dp::experiments
