// The runs that a folder of results holds, read back for tables, reports and comparisons.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/train/run_result.hpp"
#include "experiments/options/run_settings.hpp"

namespace dp::experiments {

/// One run-*.json. The fields that tables and statistics sort by are plain values; the rest is in
/// the documents, as RESULTS.md describes them.
struct StoredRun {
    std::filesystem::path file;
    std::string status;   // complete or failed
    std::string reason;   // of a failed run
    std::string started;  // UTC
    std::string mode;
    std::string scaling;
    std::size_t workers = 0;
    std::size_t repetition = 1;
    std::size_t sequence = 1;
    std::size_t batch_size = 0;  // images per worker and step
    bool oversubscribed = false;
    RunSettings settings;
    nlohmann::ordered_json context, config, startup;
    core::RunResult result;  // of a complete run
};

/// Sorted by worker count, then by mode in the order of the modes' table, then by repetition.
struct ResultsFolder {
    std::filesystem::path folder;
    std::vector<StoredRun> runs;  // complete
    std::vector<StoredRun> failed;
};

/// The repetitions of one configuration.
struct RunGroup {
    std::string mode;
    std::size_t workers = 0;
    bool oversubscribed = false;
    std::span<const StoredRun> runs;  // by repetition; never empty

    /// One value per repetition.
    [[nodiscard]] std::vector<double> images_per_second() const;
    [[nodiscard]] std::vector<double> train_seconds() const;
};

/// The run whose file holds `document`. Throws Error(kData) that names `file` and what is wrong.
StoredRun parse_run(const nlohmann::ordered_json& document, const std::filesystem::path& file);

/// `runs` in the order of a folder that holds them.
ResultsFolder results_of(const std::filesystem::path& folder, std::vector<StoredRun> runs);

/// Whether `folder` holds a run file.
bool has_runs(const std::filesystem::path& folder);

/// Reads every run file. Throws Error(kUsage) when `folder` is no folder or holds none,
/// Error(kData) that names the file and what is wrong with it.
ResultsFolder read_results(const std::filesystem::path& folder);

/// The complete runs by configuration, in their order; they borrow from `results`.
std::vector<RunGroup> group_runs(const ResultsFolder& results);

}  // namespace dp::experiments
