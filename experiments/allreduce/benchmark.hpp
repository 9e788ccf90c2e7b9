// `dp_compare allreduce`: each reduction alone, without any training around it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/allreduce/reductions.hpp"
#include "experiments/allreduce/table.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/modes.hpp"
#include "experiments/text/terminal.hpp"

namespace dp::experiments::allreduce {

struct Request {
    std::vector<std::string> modes = usual_modes();
    std::vector<std::size_t> workers{2};
    std::size_t threads_per_worker = 2;   // of modes that have teams, whose workers are processes
    std::vector<std::string> reductions;  // empty: all of the modes
    std::vector<std::size_t> bytes{kDefaultBytes.begin(), kDefaultBytes.end()};
    std::optional<std::size_t> repetitions;
    double timeout_seconds = 300.0;
    std::string mpi_run;        // as RunConfig::mpi_run
    std::filesystem::path out;  // empty: no file
    bool force = false;
    /// Rows that this machine's limits do not allow are left out with a warning, and end nothing.
    bool leaves_out = true;
};

/// The reductions that `request` asks for, those of one name in all modes. Throws Error(kUsage) for
/// a name that is unknown or of no mode asked for.
std::vector<TimedReduction> chosen_reductions(const Request& request);

/// Measures one row of `workers` ranks in fresh processes.
Row measure(const TimedReduction& reduction, std::size_t workers, std::size_t bytes,
            const Request& request);

/// Every row that `request` asks for, each told by `progress` while it is measured and passed to
/// `on_row` when it is.
std::vector<Row> measure_rows(const Request& request, const Machine& machine,
                              const ProgressLine& progress,
                              const std::function<void(const Row& row)>& on_row);

inline constexpr std::string_view kFileName = "allreduce.json";

/// Writes kFileName into `folder`, whole or not at all. Throws Error(kData).
void write_rows(const std::filesystem::path& folder, std::span<const Row> rows,
                const Machine& machine, std::optional<double> triad_bytes_per_second);

/// Throws Error(kVerification) that names the first row with a wrong sum.
void verify(std::span<const Row> rows);

/// Prints the table on stdout, row by row, and writes allreduce.json into request.out. Throws
/// Error(kVerification), all printed and written, when any sum was wrong; Error of another code
/// when a rank failed.
void run_benchmark(const Request& request);

}  // namespace dp::experiments::allreduce
