// One rank of a row whose ranks are programs of their own, which a launcher starts on this machine.
// It meets the others on the scoreboard of the program that measures, and is timed as they are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace dp::experiments::allreduce {

/// The hidden subcommand that rank_arguments() begin with.
inline constexpr const char* kRankCommand = "mpi-allreduce-rank";

/// What such a rank must know.
struct LaunchedRow {
    std::string reduction;  // of mode mpi
    std::size_t workers = 1;
    std::size_t count = 0;  // floats
    std::optional<std::size_t> repetitions;
    double timeout_seconds = 300.0;
    std::string board;  // Scoreboard::path()
};

/// The arguments with which this program is one rank of `row`.
std::vector<std::string> rank_arguments(const LaunchedRow& row);

/// What stands behind kRankCommand.
struct RankRequest {
    std::string text;
};

/// Does what `text` says, tells of failures on stdout as the program that had it started reads
/// them, and returns the exit code.
core::ExitCode run_rank(const std::string& text);

}  // namespace dp::experiments::allreduce
