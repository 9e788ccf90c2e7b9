#include "experiments/report/reproduction.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/results/sweep_file.hpp"

namespace dp::experiments::report {
namespace {

/// " --reduction NAMES" of runs with another than their mode's default.
std::string reductions_of(std::span<const Run> runs) {
    std::vector<std::string> names;
    bool usual = true;
    for (const Run& run : runs) {
        const std::string& name = run.settings.config.reduction;
        usual = usual && design_of(run.settings.config) == run.mode();
        const bool said =
            mode_of(run.mode()).exchanges || design_of(run.settings.config) != run.mode();
        if (said && std::ranges::find(names, name) == names.end()) {
            names.push_back(name);
        }
    }
    return usual ? "" : " --reduction " + core::join(names, ",");
}

/// What decides the work of a step or an epoch and is told otherwise: for all workers together, or
/// by the scaling itself.
bool is_implied(const Setting& row, Scaling scaling) {
    return (row.name == "batch_size" && scaling == Scaling::kStrong) ||
           (row.name == "steps_limit" && scaling == Scaling::kWeak);
}

std::string from_runs(const ResultsFolder& results) {
    std::vector<std::string> modes;
    std::set<std::size_t> workers;
    std::string teams;
    std::size_t repetitions = 1;
    for (const Run& run : results.runs) {
        if (std::ranges::find(modes, run.mode()) == modes.end()) modes.push_back(run.mode());
        const std::size_t team =
            mode_of(run.mode()).has_teams ? run.settings.config.threads_per_worker : 1;
        workers.insert(run.workers() / team);
        if (team > 1) teams = fmt::format(" --threads-per-worker {}", team);
        repetitions = std::max(repetitions, run.repetition);
    }
    const RunSettings& first = results.runs.front().settings;
    std::string line =
        fmt::format("dp_compare --mode {} -n {}", core::join(modes, ","), core::join(workers, ","));
    if (repetitions > 1) line += fmt::format(" --reps {}", repetitions);
    for (const Setting* row : changed_settings(first)) {
        if (row->name == "threads_per_worker" || row->compared != Compared::kEverywhere ||
            is_implied(*row, first.scaling))
            continue;
        line += " " + option_text(*row, first, quote_for_shell);
    }
    if (first.config.dataset != "synthetic") {
        line += " --data-dir " + quote_for_shell(first.data.source);
    }
    if (first.scaling == Scaling::kStrong) {
        line += fmt::format(" --global-batch {}", global_batch(first.config));
    }
    return line + teams + reductions_of(results.runs) + " --out DIR";
}

}  // namespace

std::string quote_for_shell(std::string_view text) {
    const auto harmless = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("_-./,:=+@%").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::ranges::all_of(text, harmless)) return std::string(text);
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string command_line_of(const ResultsFolder& results) {
    std::error_code ignored;
    if (!std::filesystem::exists(results.folder / kSweepFileName, ignored)) {
        return from_runs(results);
    }
    const SweepFile sweep = read_sweep_file(results.folder);
    return fmt::format("dp_compare {} --out DIR",
                       core::join(sweep.arguments, " ", quote_for_shell));
}

}  // namespace dp::experiments::report
