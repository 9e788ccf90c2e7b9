// The run's file in --out: one JSON document that says what was asked, on what machine, and what
// came out, of a run that succeeded or of one that failed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "experiments/results/run.hpp"

namespace dp::experiments {

/// What the field `schema` of a run file says.
inline constexpr std::string_view kRunSchema = "dp_compare.run/1";

/// Now, as a result file writes it: UTC, 2026-01-31T23:59:59Z.
std::string utc_now();

/// Makes `folder` ready for results: creates it, refuses one that cannot be written or, without
/// `force`, already holds files that are results by `is_result`; with `force` removes those. Throws
/// Error(kUsage).
void prepare_out(const std::filesystem::path& folder, bool force,
                 const std::function<bool(std::string_view name)>& is_result);

/// Whether a file of this name is one that write_run() wrote, maybe packed by gzip since.
bool is_run_file(std::string_view name);

/// `run-<design>-n<N>-r<repetition>.json`.
std::string run_file_name(const Run& run);

/// Writes run_file_name() into `folder`, whole or not at all, with the file of its steps beside it,
/// and returns its path. Throws Error(kData).
std::filesystem::path write_run(const std::filesystem::path& folder, const Run& run);

/// Reads what write_run() wrote; without steps where their file is missing. Throws Error(kData)
/// that names `file` and what is wrong.
Run read_run(const std::filesystem::path& file);

}  // namespace dp::experiments
