// What training was asked for: the input of a sweep, which may be of one run.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/train/run_config.hpp"
#include "experiments/options/run_settings.hpp"

namespace dp::experiments {

struct Request {
    std::vector<std::string> modes;
    std::vector<std::size_t> workers;
    // Of each mode those that it has, "all" of them if that is what is asked; none: its default.
    std::vector<std::string> reductions;
    core::RunConfig base;  // mode, workers, reduction and batch_size differ from run to run
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
    bool ceiling = true;        // measure_ceiling() where wants_ceiling()
    bool measure_only = false;  // the runs' files are all: no table; its progress is told even so
    // What a resumed sweep starts with again, and where relative paths among them begin.
    std::vector<std::string> arguments;
    std::filesystem::path working_directory;
    std::string started;  // utc_now() when the sweep began; empty: now
    bool dry_run = false;
    bool verbose = false;
    bool quiet = false;
};

}  // namespace dp::experiments
