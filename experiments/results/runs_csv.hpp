// A folder's runs as two tables for spreadsheets, R and pandas: runs.csv, a row per run, and
// epochs.csv, a row per run, epoch and rank. RFC 4180, dot decimal; RESULTS.md lists the columns.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "experiments/results/results_folder.hpp"

namespace dp::experiments {

inline constexpr std::string_view kRunsCsv = "runs.csv";
inline constexpr std::string_view kEpochsCsv = "epochs.csv";

/// One rank's epoch of a run that is complete.
struct EpochRow {
    const Run* run = nullptr;
    const core::WorkerReport* report = nullptr;
    std::size_t epoch = 0;  // from 0
    core::WorkerEpoch mine;
    core::EpochResult whole;
};

/// `value` yields the cell: a string, number or boolean; null or NaN is an empty one.
template <typename Row>
struct CsvColumn {
    std::string_view name;
    std::string_view unit;  // s, bytes, ...; empty for names, settings and plain counts
    std::string meaning;
    std::function<nlohmann::ordered_json(const Row& row)> value;
    bool always = false;  // also in the row of a failed run
};

/// What was chosen comes first, then what was measured, which a failed run does not have.
std::span<const CsvColumn<Run>> runs_csv_columns();
std::span<const CsvColumn<EpochRow>> epochs_csv_columns();

/// Writes both files into `folder`, each whole or not at all, over those that are there: the
/// complete runs in their order, then, in runs.csv alone, those that failed. Throws Error(kData).
void write_runs_csv(const std::filesystem::path& folder, const ResultsFolder& results);

}  // namespace dp::experiments
