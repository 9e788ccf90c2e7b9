// One run of a sweep: as it is planned, as it ended, and as it is read back from its file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/train/run_result.hpp"
#include "experiments/machine/conditions.hpp"
#include "experiments/options/run_settings.hpp"

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

struct Run {
    RunSettings settings;
    std::size_t repetition = 1;      // of its design and N, from 1
    std::size_t sequence = 1;        // in the order in which the sweep's runs were started, from 1
    std::string started;             // utc_now() then; empty before
    nlohmann::ordered_json context;  // context_json() of its machine
    StartUp startup;
    core::RunResult result;                // unless it failed
    std::optional<Conditions> conditions;  // none of a run that failed
    std::optional<Failure> failure;
    std::filesystem::path file;  // that it was read from, if it was

    [[nodiscard]] const std::string& mode() const { return settings.config.mode; }
    [[nodiscard]] std::size_t workers() const { return settings.config.workers; }
    /// From the process's start until the last worker began its first step, as it is (or, in a
    /// sweep, would be) when this is the first run; none of a run that failed.
    [[nodiscard]] std::optional<double> first_step_seconds() const;
};

}  // namespace dp::experiments
