#include "experiments/results/results_folder.hpp"

#include <algorithm>
#include <tuple>

#include "core/base/error.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/run_file.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;

/// A mode that this program does not know comes last.
std::size_t place_of(const std::string& mode) {
    const auto all = modes();
    return static_cast<std::size_t>(std::ranges::find(all, mode, &Mode::name) - all.begin());
}

/// A mode's default comes first.
std::size_t place_of_reduction(const Run& run) {
    const Mode& mode = mode_of(run.mode());
    if (mode.reductions == nullptr) return 0;
    const auto all = mode.reductions();
    const auto place = std::ranges::find_if(all, [&](const core::ExchangeTraits& traits) {
        return traits.is_called(run.settings.config.reduction);
    });
    return static_cast<std::size_t>(place - all.begin());
}

auto order_of(const Run& run) {
    return std::tuple(run.workers(), place_of(run.mode()), run.mode(), place_of_reduction(run),
                      design_of(run.settings.config), run.repetition);
}

}  // namespace

ResultsFolder results_of(const fs::path& folder, std::vector<Run> runs) {
    ResultsFolder results{folder, {}, {}};
    std::ranges::sort(runs, {}, order_of);
    for (Run& run : runs) {
        (run.failure ? results.failed : results.runs).push_back(std::move(run));
    }
    return results;
}

bool has_runs(const fs::path& folder) {
    std::error_code error;
    return std::ranges::any_of(fs::directory_iterator(folder, error), [](const auto& entry) {
        return is_run_file(entry.path().filename().string());
    });
}

ResultsFolder read_results(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        throw Error(ExitCode::kUsage, "{} is not a folder: name one that --out has filled",
                    folder.string());
    }
    std::vector<Run> runs;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (!is_run_file(entry.path().filename().string())) continue;
        runs.push_back(read_run(entry.path()));
    }
    if (runs.empty()) {
        throw Error(ExitCode::kUsage, "{} holds no run-*.json: name a folder that --out has filled",
                    folder.string());
    }
    return results_of(folder, std::move(runs));
}

}  // namespace dp::experiments
