// The modes of the program: one row each in a table that feeds the command line, the help, the
// tests, the sweep and the plots. Nothing else names a mode: what differs is a question to its row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/exchange/exchange_traits.hpp"
#include "core/train/job.hpp"
#include "core/train/run_result.hpp"

namespace dp::experiments {

struct Mode {
    std::string_view name;
    std::string_view description;
    /// True when run() forks its workers itself. The others run in one child process, so that the
    /// caller stays free of OpenMP and oneDNN.
    bool forks = false;
    /// True when one worker of this mode is what the speedups of all modes are measured against.
    /// Beside other modes it then runs once, with one worker.
    bool is_baseline = false;
    /// True when its workers are virtual and take turns on one CPU.
    bool takes_turns = false;
    /// True when its workers exchange gradients.
    bool exchanges = true;
    /// True when its workers are threads that compute one replica's step together.
    bool one_replica = false;
    /// True when its workers are programs of their own that a launcher starts, mpirun or srun; then
    /// Job::rank_arguments say what they do.
    bool is_launched = false;
    /// True when a worker of `-n` is a process of --threads-per-worker ranks.
    bool has_teams = false;
    /// True when `dp_compare allreduce` can time its reductions alone.
    bool timed_alone = true;
    std::uint32_t color = 0xE69F00;  // in plots, 0xRRGGBB
    int mark = 11;                   // gnuplot's number of a solid point; the hollow one is 1 less
    core::RunResult (*run)(const core::Job& job) = nullptr;
    /// Before the first run: throws Error(kUsage), with the remedy, where this machine cannot run
    /// `config`. Null: every machine can.
    void (*check)(const core::RunConfig& config) = nullptr;
    /// Never empty; the first is the default.
    std::vector<core::ExchangeTraits> (*reductions)() = nullptr;

    /// CPUs that `workers` workers keep busy.
    [[nodiscard]] std::size_t cpus(std::size_t workers) const { return takes_turns ? 1 : workers; }
    /// Ranks of `workers` workers without --shards: each has its share of the images and gradients
    /// of its own.
    [[nodiscard]] std::size_t ranks(std::size_t workers) const { return one_replica ? 1 : workers; }
    /// The reduction that is or was called `name`; none where the mode does not have it.
    [[nodiscard]] std::optional<core::ExchangeTraits> find_reduction(std::string_view name) const;
    /// What `--reduction name` means to this mode: the reduction that it calls so. A mode without
    /// an exchange plays those of the others, by its own that adds in the same order. None where
    /// there is neither.
    [[nodiscard]] std::optional<core::ExchangeTraits> reduction_for(std::string_view name) const;
    /// The reduction of a run of which none was asked: the first, with --shards the first that adds
    /// as a tree. None where there is none.
    [[nodiscard]] std::optional<core::ExchangeTraits> usual_reduction(bool shards) const;
    /// The names of all, with commas.
    [[nodiscard]] std::string reduction_names() const;
};

inline constexpr std::size_t kMaxWorkers = 256;

std::span<const Mode> modes();
/// Throws Error(kUsage) that lists the names.
const Mode& find_mode(std::string_view name);
/// The row of a mode, or of a design's mode, that was read from a file: of one that this program
/// does not know, a row that exchanges and is no baseline.
const Mode& mode_of(std::string_view name);
/// What is compared is a design: a mode, and how it sums gradients. Its name is the mode's, with
/// the reduction behind a slash unless that is the mode's default: "threads", "threads/tree".
std::string design_of(const core::RunConfig& config);
/// Whether two designs are of one mode.
bool same_mode(std::string_view design, std::string_view other);
/// Characters of a table's column that holds `designs`.
std::size_t design_width(std::span<const std::string> designs);
/// `design` as a part of a file's name: "threads-tree".
std::string in_file_name(std::string design);
/// "serial, threads, procs".
std::string mode_names();
/// The names of the modes that answer `question` with yes, in the table's order.
std::vector<std::string> modes_that(bool Mode::*question);

/// Tells the user who asked for `name` that `reduction` has another name by now, if it has.
void warn_of_former_name(const core::ExchangeTraits& reduction, std::string_view name);

/// The order in which runs of `mode` add gradients with `reduction`; of a mode that this program
/// does not know, the usual one.
core::SumOrder sum_order_of(std::string_view mode, std::string_view reduction);

/// Ranks of a run: its shards, or as many as its mode has without them.
std::size_t ranks_of(const core::RunConfig& config);

/// Images per step over all ranks.
std::size_t global_batch(const core::RunConfig& config);

/// Steps of an epoch of `job`.
std::size_t steps_of(const core::Job& job);
/// Whether runs that add in the same order as one of `mode`, `reduction` and `workers` must end
/// with its bits: true but for sums whose order is left to chance, and there with one worker, who
/// has nothing to add.
bool has_order(std::string_view mode, std::string_view reduction, std::size_t workers);

/// Runs `job` in the mode it names, in fresh child processes: the caller must not have used OpenMP
/// or oneDNN, and has not after. Throws what the run failed with, WorkerFailure when a process
/// died.
core::RunResult run_job(const core::Job& job);

}  // namespace dp::experiments
