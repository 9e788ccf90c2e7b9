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
#include "experiments/diff/diff.hpp"
#include "experiments/predict/predict.hpp"
#include "experiments/report/command_line.hpp"
#include "experiments/result_file.hpp"

namespace dp::experiments {

struct Request {
    std::vector<std::string> modes;
    std::vector<std::size_t> workers;
    core::RunConfig base;  // mode, workers and batch_size differ from run to run
    std::optional<std::size_t> global_batch;
    Scaling scaling = Scaling::kFixedEpoch;
    std::size_t repetitions = 1;
    std::filesystem::path data_dir;
    std::filesystem::path out;    // empty: no files
    std::filesystem::path trace;  // empty: none
    std::optional<core::StepRange> trace_steps;
    bool force = false;         // overwrite results in `out`
    bool resume = false;        // run only what `out` lacks
    bool report = true;         // a sweep with `out` ends with one
    bool measure_only = false;  // the runs' files are all: no table
    // What a resumed sweep starts with again, and where relative paths among them begin.
    std::vector<std::string> arguments;
    std::filesystem::path working_directory;
    std::string started;  // utc_now() when the sweep began; empty: now
    bool dry_run = false;
    bool verbose = false;
    bool quiet = false;
};

/// Training, a subcommand, or text.
using Parsed = std::variant<Request, allreduce::Request, report::Request, diff::Request,
                            predict::Request, std::string>;

/// What to do, or (--help, --version) what to print and be done. Throws Error(kUsage) that names
/// the option, the value and the next step.
Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace dp::experiments
