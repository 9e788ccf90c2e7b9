#include "experiments/sweep/resume.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "experiments/machine/context_fields.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/results/run_file.hpp"

namespace dp::experiments {
namespace {

/// A file of the right name may be of another sweep.
void check_same_run(const Run& planned, const Run& stored) {
    for (const auto& row : settings()) {
        if (row.name == "oversubscribed" || row.name == "data_source") continue;
        if (row.write(stored.settings) == row.write(planned.settings)) continue;
        throw core::Error(core::ExitCode::kUsage,
                          "--resume {}: {} was run with another {} than this sweep asks for: "
                          "remove it, or start a new sweep with --out",
                          stored.file.parent_path().string(), stored.file.filename().string(),
                          row.name);
    }
}

/// Returns whether `stored` was measured elsewhere than what `planned` is going to be.
bool warn_if_elsewhere(const Run& planned, const Run& stored) {
    for (const ContextField& field : kContextFields) {
        if (!field.resumed) continue;
        const auto &before = stored.context.at(field.name), &now = planned.context.at(field.name);
        if (before == now) continue;
        spdlog::warn(
            "{} was measured with {} {}, now it is {}: its figures do not compare with those that "
            "follow",
            stored.file.string(), field.name, before.dump(), now.dump());
        return true;
    }
    return false;
}

}  // namespace

void take_stored_runs(const std::filesystem::path& folder, std::span<Run> planned) {
    if (!has_runs(folder)) return;
    const ResultsFolder stored = read_results(folder);
    bool warned = false;
    for (Run& run : planned) {
        const auto found = std::ranges::find(stored.runs, run_file_name(run), run_file_name);
        if (found == stored.runs.end()) continue;
        check_same_run(run, *found);
        warned = warned || warn_if_elsewhere(run, *found);
        run = *found;
    }
}

}  // namespace dp::experiments
