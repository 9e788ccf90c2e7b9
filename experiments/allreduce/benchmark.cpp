#include "experiments/allreduce/benchmark.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <set>

#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/join.hpp"
#include "experiments/allreduce/launched_rank.hpp"
#include "experiments/allreduce/rounds.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/machine/triad.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/nearest.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/text/files.hpp"
#include "experiments/text/json.hpp"
#include "experiments/text/numbers.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments::allreduce {
namespace {

using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

bool is_oversubscribed(std::size_t workers, const Machine& machine) {
    return static_cast<double>(workers) > machine.usable_cpus();
}

std::size_t ranks_per_worker(std::string_view mode, const Request& request) {
    return find_mode(mode).has_teams ? request.threads_per_worker : 1;
}

void warn_oversubscribed(const Request& request, const Machine& machine) {
    std::size_t most = 0;
    for (const std::string& mode : request.modes) {
        most = std::max(
            most, *std::ranges::max_element(request.workers) * ranks_per_worker(mode, request));
    }
    if (!is_oversubscribed(most, machine)) return;
    spdlog::warn(
        "{} workers on {:g} usable CPUs: they take turns, so expect times of scheduling as much "
        "as of memory; such rows are marked oversubscribed",
        most, machine.usable_cpus());
}

Json row_json(const Row& row) {
    const auto valid = [&](double value) { return row.wrong == 0 ? Json(value) : Json(nullptr); };
    return {{"bytes", row.bytes},
            {"count", row.count()},
            {"mode", row.mode},
            {"workers", row.workers},
            {"threads_per_worker", row.threads_per_worker},
            {"reduction", row.reduction},
            {"oversubscribed", row.oversubscribed},
            {"repetitions", row.repetitions},
            {"time_median_us", valid(row.time_us.median)},
            {"time_min_us", valid(row.time_us.minimum)},
            {"time_max_us", valid(row.time_us.maximum)},
            {"time_interval_us", row.wrong == 0 ? Json(row.time_us.interval) : Json(nullptr)},
            {"time_coverage", row.time_us.interval ? valid(row.time_us.coverage) : Json(nullptr)},
            {"algbw_gb_per_s", valid(row.algbw())},
            {"busbw_gb_per_s", valid(row.busbw())},
            {"wrong", row.wrong}};
}

}  // namespace

std::vector<TimedReduction> chosen_reductions(const Request& request) {
    std::vector<TimedReduction> of_modes;
    for (const std::string& mode : request.modes) {
        const std::size_t before = of_modes.size();
        for (const TimedReduction& row : reductions()) {
            if (row.mode == mode) of_modes.push_back(row);
        }
        if (of_modes.size() == before) {
            const std::vector<std::string> known = modes_that(&Mode::timed_alone);
            const std::string match = nearest(mode, known);
            throw Error(ExitCode::kUsage,
                        "--mode '{}' is no mode whose reductions can be timed{}: choose from {}",
                        mode, match.empty() ? "" : fmt::format(" (did you mean {}?)", match),
                        core::join(known));
        }
    }
    std::vector<TimedReduction> chosen;
    for (const std::string& name : request.reductions) {
        const std::size_t before = chosen.size();
        std::ranges::copy_if(of_modes, std::back_inserter(chosen),
                             [&](const TimedReduction& row) { return row.traits.is_called(name); });
        if (chosen.size() == before) {
            std::vector<std::string_view> names;
            for (const TimedReduction& row : of_modes) names.push_back(row.traits.name);
            throw Error(ExitCode::kUsage,
                        "--reduction '{}' is not a reduction of the modes asked for: choose from "
                        "{}",
                        name, core::join(names));
        }
    }
    return chosen.empty() ? of_modes : chosen;
}

Row measure(const TimedReduction& reduction, std::size_t workers, std::size_t bytes,
            const Request& request) {
    Scoreboard board(workers, {request.repetitions}, request.timeout_seconds);
    Team team;
    team.workers = workers;
    team.threads_per_worker = ranks_per_worker(reduction.mode, request);
    team.count = bytes / sizeof(float);
    team.timeout_seconds = request.timeout_seconds;
    team.work = [&](std::size_t rank, core::GradientExchange& exchange,
                    std::span<float> gradients) { run_rounds(board, rank, exchange, gradients); };
    team.on_failure = [&] { board.failed().store(1, std::memory_order_release); };
    if (find_mode(reduction.mode).is_launched) {
        team.mpi_run = request.mpi_run;
        team.rank_arguments = rank_arguments({.reduction = std::string(reduction.traits.name),
                                              .workers = workers,
                                              .count = team.count,
                                              .repetitions = request.repetitions,
                                              .timeout_seconds = request.timeout_seconds,
                                              .board = board.path()});
    }
    run_team(reduction, team);

    const std::vector<double> times = board.times_us();
    Row row;
    row.bytes = bytes;
    row.mode = reduction.mode;
    row.workers = workers;
    row.threads_per_worker = team.threads_per_worker;
    row.reduction = reduction.traits.name;
    row.repetitions = times.size();
    row.time_us = statistics::summarise(times);
    row.wrong = board.wrong();
    return row;
}

namespace {

/// Measures rows, and leaves out those that this machine's limits do not allow, where the request
/// lets it.
class Measurer {
public:
    explicit Measurer(const Request& request) : request_(request) {}

    std::optional<Row> operator()(const TimedReduction& reduction, std::size_t workers,
                                  std::size_t bytes) try {
        return measure(reduction, workers, bytes, request_);
    } catch (const Error& error) {
        if (error.code() != ExitCode::kResources || !request_.leaves_out) throw;
        if (first_ == nullptr) first_ = std::current_exception();
        if (told_.insert({reduction.mode, reduction.traits.name}).second) {
            spdlog::warn("{} {} goes without some sizes: {}", reduction.mode, reduction.traits.name,
                         error.what());
        }
        return std::nullopt;
    }

    /// Throws what the first row was left out for, if one was.
    void rethrow() const {
        if (first_ != nullptr) std::rethrow_exception(first_);
    }

private:
    const Request& request_;
    std::exception_ptr first_;
    std::set<std::pair<std::string_view, std::string_view>> told_;  // one warning for each
};

}  // namespace

std::vector<Row> measure_rows(const Request& request, const Machine& machine,
                              const ProgressLine& progress,
                              const std::function<void(const Row& row)>& on_row) {
    const std::vector<TimedReduction> chosen = chosen_reductions(request);
    // Reductions of one size follow each other, so that what else goes on meets all of them.
    Measurer measurer(request);
    std::vector<Row> rows;
    const std::size_t all = request.workers.size() * request.bytes.size() * chosen.size();
    std::size_t number = 0;
    for (const std::size_t workers : request.workers) {
        for (const std::size_t bytes : request.bytes) {
            for (const TimedReduction& reduction : chosen) {
                const std::size_t ranks = workers * ranks_per_worker(reduction.mode, request);
                progress.show(
                    {fmt::format("all-reduce {}/{}", ++number, all),
                     fmt::format("{} {}, N = {}", reduction.mode, reduction.traits.name, ranks),
                     fmt::format("{} bytes", with_separators(bytes))});
                auto row = measurer(reduction, ranks, bytes);
                progress.clear();
                if (!row) continue;
                row->oversubscribed = is_oversubscribed(row->workers, machine);
                on_row(*row);
                rows.push_back(std::move(*row));
            }
        }
    }
    if (rows.empty()) measurer.rethrow();
    return rows;
}

void write_rows(const std::filesystem::path& folder, std::span<const Row> rows,
                const Machine& machine, std::optional<double> triad_bytes_per_second) {
    Json document{{"schema", "dp_compare.allreduce/1"},
                  {"context", context_json(machine)},
                  {"triad_bytes_per_second", triad_bytes_per_second}};
    document["rows"] = Json::array();
    for (const Row& row : rows) document["rows"].push_back(row_json(row));
    write_json(folder / kFileName, document);
}

void verify(std::span<const Row> rows) {
    const auto bad = std::ranges::find_if(rows, [](const Row& row) { return row.wrong != 0; });
    if (bad == rows.end()) return;
    throw Error(ExitCode::kVerification,
                "{} of {} rows have wrong sums, the first being {} {} with N = {} and {} bytes: "
                "report this as a bug",
                std::ranges::count_if(rows, [](const Row& row) { return row.wrong != 0; }),
                rows.size(), bad->mode, bad->reduction, bad->workers, bad->bytes);
}

void run_benchmark(const Request& request) {
    chosen_reductions(request);
    for (const std::string& mode : request.modes) {
        core::RunConfig config;
        config.mpi_run = request.mpi_run;
        if (const auto check = find_mode(mode).check) check(config);
    }
    if (!request.out.empty()) {
        prepare_out(request.out, request.force,
                    [](std::string_view name) { return name == kFileName; });
    }
    const Machine machine = read_machine();
    spdlog::info("{}, {}, {:g} usable CPUs", machine.cpu_model, machine.kernel,
                 machine.usable_cpus());
    for (const std::string& warning : machine.warnings) spdlog::warn("{}", warning);
    warn_oversubscribed(request, machine);

    print_line(format_header());
    const ProgressLine progress(/*wanted=*/true);
    const std::vector<Row> rows = measure_rows(request, machine, progress,
                                               [](const Row& row) { print_line(format_row(row)); });
    if (!request.out.empty()) write_rows(request.out, rows, machine, measure_triad(machine));
    verify(rows);
}

}  // namespace dp::experiments::allreduce
