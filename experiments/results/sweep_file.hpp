// sweep.json: what a sweep was asked, so that --resume can go on with it, and how it stands.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dp::experiments {

inline constexpr std::string_view kSweepSchema = "dp_compare.sweep/1";
inline constexpr std::string_view kSweepFileName = "sweep.json";

struct SweepFile {
    std::string status;                       // running, complete, interrupted or failed
    std::vector<std::string> arguments;       // of the command line, without --out and --force
    std::filesystem::path working_directory;  // that relative paths among them start from
    std::string started;                      // utc_now() then
    std::string ended;                        // utc_now() then; empty while it runs
    std::size_t planned_runs = 0;
    std::vector<std::string> order;  // names of the run files, as they are started
};

/// Whole or not at all. Throws Error(kData).
void write_sweep_file(const std::filesystem::path& folder, const SweepFile& sweep);

/// Throws Error(kUsage) when `folder` has none, Error(kData) when it is something else.
SweepFile read_sweep_file(const std::filesystem::path& folder);

}  // namespace dp::experiments
