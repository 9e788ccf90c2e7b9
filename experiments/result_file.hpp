// The run's file in --out: one JSON document that says what was asked, on what machine, and what
// came out, of a run that succeeded or of one that failed.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/base/error.hpp"
#include "core/data/dataset.hpp"
#include "core/nn/network_options.hpp"
#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"
#include "experiments/machine.hpp"

namespace dp::experiments {

/// What the field `schema` of a run file says.
inline constexpr std::string_view kRunSchema = "dp_compare.run/1";

/// Now, as a result file writes it: UTC, 2026-01-31T23:59:59Z.
std::string utc_now();

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

/// Makes `folder` ready for results: creates it, refuses one that cannot be written or, without
/// `force`, already holds files that are results by `is_result`; with `force` removes those. Throws
/// Error(kUsage).
void prepare_out(const std::filesystem::path& folder, bool force,
                 const std::function<bool(std::string_view name)>& is_result);

/// Whether a file of this name is one that write_run() wrote.
bool is_run_file(std::string_view name);

/// The `config` of a run's file.
nlohmann::ordered_json run_config_json(const core::RunConfig& config, Scaling scaling,
                                       bool oversubscribed, const core::Dataset& data);

/// `run-<mode>-n<N>-r<repetition>.json`.
std::string run_file_name(const std::string& mode, std::size_t workers, std::size_t repetition);

/// Writes run_file_name() into `folder`, whole or not at all, and returns its path.
/// Throws Error(kData).
std::filesystem::path write_run(const std::filesystem::path& folder, const RunRecord& record,
                                const Machine& machine, const core::Dataset& data);

}  // namespace dp::experiments
