// The run's file in --out: one JSON document that says what was asked, on what machine, and what
// came out, of a run that succeeded or of one that failed.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/data/dataset.hpp"
#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"
#include "experiments/machine.hpp"

namespace dp::experiments {

/// Why a run has no result.
struct Failure {
    core::ExitCode code = core::ExitCode::kRunFailed;
    std::string reason;
    std::optional<std::size_t> rank;
    std::optional<int> signal;
};

/// What the program did before its first run.
struct StartUp {
    double data_load_seconds = 0.0;             // reading or making the data set
    std::optional<double> before_runs_seconds;  // all of it, since the process started
};

struct RunRecord {
    core::RunConfig config;
    bool oversubscribed = false;
    StartUp startup;
    std::optional<core::RunResult> result;  // or
    std::optional<Failure> failure;
};

/// Makes `folder` ready for results: creates it, refuses one that cannot be written or, without
/// `force`, already holds files that are results by `is_result`; with `force` removes those. Throws
/// Error(kUsage).
void prepare_out(const std::filesystem::path& folder, bool force,
                 const std::function<bool(std::string_view name)>& is_result);

/// Whether a file of this name is one that write_run() wrote.
bool is_run_file(std::string_view name);

/// Writes `run-<mode>-n<N>-r1.json` into `folder`, whole or not at all, and returns its path.
/// Throws Error(kData).
std::filesystem::path write_run(const std::filesystem::path& folder, const RunRecord& record,
                                const Machine& machine, const core::Dataset& data);

}  // namespace dp::experiments
