// One run of a sweep, in memory: what was asked, where it stands, what came out or why nothing did.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "core/base/error.hpp"
#include "core/nn/network_options.hpp"
#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"

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

/// How the work of a run follows from the worker count; see --scaling.
enum class Scaling { kFixedEpoch, kStrong, kWeak };

inline constexpr std::array kScalings{
    core::OptionRow<Scaling>{"fixed-epoch", Scaling::kFixedEpoch,
                             "the batch per worker stays, N workers share the epoch"},
    core::OptionRow<Scaling>{"strong", Scaling::kStrong,
                             "the global batch stays, N workers share it"},
    core::OptionRow<Scaling>{"weak", Scaling::kWeak,
                             "each worker's batch and steps stay, N workers do N times the work"},
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
