#include "experiments/results/phase_cpu_columns.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

namespace dp::experiments {
namespace {

using core::kPhaseNames;
using core::kPhases;
using Json = nlohmann::ordered_json;

/// Null of a worker with several threads.
Json cpu_of_run(const Run& run, std::size_t phase) {
    double total = 0.0;
    for (const core::WorkerReport& worker : run.result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) {
            if (!epoch.phase_cpu_seconds) return nullptr;
            total += (*epoch.phase_cpu_seconds)[phase];
        }
    }
    return total / static_cast<double>(run.result.workers.size());
}

Json cpu_of_epoch(const EpochRow& row, std::size_t phase) {
    const auto& seconds = row.mine.phase_cpu_seconds;
    return seconds ? Json((*seconds)[phase]) : Json(nullptr);
}

/// One for each phase. `what` stands behind the phase's name in the meaning.
template <typename Row>
std::vector<CsvColumn<Row>> columns(std::string_view what, Json (*value)(const Row&, std::size_t)) {
    static const auto kNames = [] {
        std::array<std::string, kPhases> names;
        std::ranges::transform(kPhaseNames, names.begin(), [](std::string_view phase) {
            return fmt::format("{}_cpu_seconds", phase);
        });
        return names;
    }();
    std::vector<CsvColumn<Row>> all;
    for (std::size_t i = 0; i < kPhases; ++i) {
        all.push_back(
            {kNames[i], "s",
             fmt::format("of phase `{}` on a CPU{}; empty of `intraop`", kPhaseNames[i], what),
             [i, value](const Row& row) { return value(row, i); }});
    }
    return all;
}

}  // namespace

std::vector<CsvColumn<Run>> cpu_columns_of_run() {
    return columns<Run>(", mean over the ranks", cpu_of_run);
}

std::vector<CsvColumn<EpochRow>> cpu_columns_of_epoch() {
    return columns<EpochRow>("", cpu_of_epoch);
}

}  // namespace dp::experiments
