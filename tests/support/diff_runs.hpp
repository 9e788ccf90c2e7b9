// Folders of runs that differ by as much as is known, for tests of their comparison.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "experiments/diff/diff.hpp"
#include "experiments/options/settings.hpp"
#include "tests/support/data.hpp"
#include "tests/support/results.hpp"

namespace dp::tests {

// Repetitions of one speed on a machine with noise of 1 %, drawn once.
inline constexpr std::array kNoise{0.992, 1.011, 1.004, 0.987, 1.001, 1.015,
                                   0.995, 1.008, 0.983, 0.999, 1.006, 1.012};

/// `repetitions` of `mode` with `workers`, whose steps take `milliseconds` and noise.
inline void add_runs(const TemporaryFolder& folder, const char* mode, std::size_t workers,
                     double milliseconds, std::size_t repetitions, std::size_t first_noise = 0) {
    for (std::size_t i = 0; i < repetitions; ++i) {
        write_made_run(folder.path(), made_run(mode, workers, i + 1,
                                               1e-3 * milliseconds * kNoise.at(first_noise + i)));
    }
}

void set_setting(experiments::Run& run, const char* field, const auto& value) {
    const experiments::Setting& row = *experiments::find_setting(field);
    row.read(row, value, run.settings);
}

/// Changes a field of every run, as if they had been made so.
void set(experiments::ResultsFolder& results, const char* section, const char* field,
         const auto& value) {
    for (experiments::Run& run : results.runs) {
        if (section == std::string("context")) {
            run.context[field] = value;
        } else {
            set_setting(run, field, value);
        }
    }
}

inline experiments::diff::FolderComparison compare(const experiments::ResultsFolder& before,
                                                   const experiments::ResultsFolder& after,
                                                   double alpha, double fail_above = 0.05) {
    return experiments::diff::compare_folders(
        experiments::analysis::analyse(before), experiments::analysis::analyse(after),
        {alpha, fail_above, experiments::diff::Design::kRuns, std::nullopt});
}

/// `sweeps` folders of three runs, whose steps take so many milliseconds and the noise of the
/// sweep.
inline std::vector<std::filesystem::path> add_sweeps(const TemporaryFolder& folder,
                                                     double milliseconds, std::size_t sweeps,
                                                     std::size_t first_noise = 0) {
    std::vector<std::filesystem::path> folders;
    for (std::size_t i = 0; i < sweeps; ++i) {
        folders.push_back(folder.path() / fmt::format("{:03}", i + 1));
        std::filesystem::create_directory(folders.back());
        for (std::size_t r = 1; r <= 3; ++r) {
            // Runs of one sweep are alike.
            const double noise = kNoise.at(first_noise + i) + 1e-5 * static_cast<double>(r);
            write_made_run(folders.back(), made_run("threads", 2, r, 1e-3 * milliseconds * noise));
        }
    }
    return folders;
}

inline experiments::diff::FolderComparison compare(const std::vector<std::filesystem::path>& before,
                                                   const std::vector<std::filesystem::path>& after,
                                                   const experiments::diff::Terms& terms) {
    return experiments::diff::compare_folders(
        experiments::analysis::analyse(experiments::diff::read_side(before)),
        experiments::analysis::analyse(experiments::diff::read_side(after)), terms);
}

inline const experiments::diff::SetupDifference* find_difference(
    const experiments::diff::FolderComparison& comparison, const char* field) {
    const auto found =
        std::ranges::find(comparison.setup, field, &experiments::diff::SetupDifference::field);
    return found == comparison.setup.end() ? nullptr : &*found;
}

}  // namespace dp::tests
