// One run of a sweep, in memory: what was asked, where it stands, what came out or why nothing did.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/base/error.hpp"
#include "core/train/run_result.hpp"
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

/// Where a run stands in its sweep.
struct SweepPlace {
    Scaling scaling = Scaling::kFixedEpoch;
    std::size_t repetition = 1;  // of its mode and worker count, from 1
    std::size_t sequence = 1;    // in the order in which the sweep's runs were started, from 1
};

struct RunRecord {
    core::RunConfig config;
    SweepPlace place;
    bool oversubscribed = false;
    std::string started;  // utc_now() then
    StartUp startup;
    std::optional<core::RunResult> result;  // or
    std::optional<Failure> failure;
};

}  // namespace dp::experiments
