#include "experiments/results/results_folder.hpp"

#include <algorithm>
#include <tuple>

#include "core/base/error.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/run_file.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

/// What tables, statistics and names of files take for granted.
void check_run(const StoredRun& run) {
    const auto require = [&](bool holds, std::string_view field, const auto& value) {
        if (holds) return;
        throw Error(ExitCode::kData, "{}: {} is {}, which no run has: remove it, or run it again",
                    run.file.string(), field, value);
    };
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
    require(!run.mode.empty() && std::ranges::all_of(run.mode, is_letter), "config.mode",
            Json(run.mode).dump());
    require(run.workers >= 1 && run.workers <= kMaxWorkers, "config.workers", run.workers);
    require(run.batch_size >= 1, "config.batch_size", run.batch_size);
    require(run.repetition >= 1, "repetition", run.repetition);
    require(run.sequence >= 1, "sequence", run.sequence);
    if (run.status != "complete") return;
    const core::RunResult& result = run.result;
    // A worker may play all ranks.
    require(result.workers.size() == run.workers || result.workers.size() == 1,
            "the length of result.workers", result.workers.size());
    for (const core::EpochResult& epoch : result.epochs) {
        if (epoch.images == 0) continue;
        require(epoch.train_seconds > 0.0, "result.epochs[].train_seconds", epoch.train_seconds);
        require(result.steps_per_epoch >= 1, "result.steps_per_epoch", result.steps_per_epoch);
    }
    for (const core::WorkerReport& worker : result.workers) {
        require(worker.epochs.size() == result.epochs.size(),
                "the length of result.workers[].epochs", worker.epochs.size());
    }
}

void read_settings(StoredRun& run) try {
    run.config.get_to(run.settings);
} catch (const Error& error) {
    throw Error(ExitCode::kData, "{}: {}: remove it, or run it again", run.file.string(),
                error.what());
}

/// A mode that this program does not know comes last.
std::size_t place_of(const std::string& mode) {
    const auto all = modes();
    return static_cast<std::size_t>(std::ranges::find(all, mode, &Mode::name) - all.begin());
}

auto order_of(const StoredRun& run) {
    return std::tuple(run.workers, place_of(run.mode), run.mode, run.repetition);
}

}  // namespace

StoredRun parse_run(const Json& document, const fs::path& file) try {
    const auto& schema = document.at("schema").get_ref<const std::string&>();
    if (schema != kRunSchema) {
        throw Error(ExitCode::kData,
                    "{}: schema {} is not {}: read it with the dp_compare that wrote it",
                    file.string(), schema, kRunSchema);
    }
    StoredRun run;
    run.file = file;
    document.at("status").get_to(run.status);
    document.at("repetition").get_to(run.repetition);
    document.at("sequence").get_to(run.sequence);
    document.at("started").get_to(run.started);
    run.context = document.at("context");
    run.config = document.at("config");
    run.startup = document.at("startup");
    run.config.at("mode").get_to(run.mode);
    run.config.at("workers").get_to(run.workers);
    run.config.at("scaling").get_to(run.scaling);
    run.config.at("batch_size").get_to(run.batch_size);
    run.config.at("oversubscribed").get_to(run.oversubscribed);
    if (run.status == "complete") {
        document.at("result").get_to(run.result);
    } else if (document.at("reason").is_string()) {
        document.at("reason").get_to(run.reason);
    }
    std::ignore = run.config.at("model").get_ref<const std::string&>();
    check_run(run);
    read_settings(run);
    return run;
} catch (const Json::exception& error) {
    throw Error(ExitCode::kData, "{} is not a run's file ({}): remove it, or run it again",
                file.string(), error.what());
}

ResultsFolder results_of(const fs::path& folder, std::vector<StoredRun> runs) {
    ResultsFolder results{folder, {}, {}};
    std::ranges::sort(runs, {}, order_of);
    for (StoredRun& run : runs) {
        (run.status == "complete" ? results.runs : results.failed).push_back(std::move(run));
    }
    return results;
}

std::vector<double> RunGroup::images_per_second() const {
    std::vector<double> values;
    for (const StoredRun& run : runs) values.push_back(run.result.images_per_second());
    return values;
}

std::vector<double> RunGroup::train_seconds() const {
    std::vector<double> values;
    for (const StoredRun& run : runs) values.push_back(run.result.train_seconds());
    return values;
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
    std::vector<StoredRun> runs;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (!is_run_file(entry.path().filename().string())) continue;
        runs.push_back(parse_run(read_json(entry.path()), entry.path()));
    }
    if (runs.empty()) {
        throw Error(ExitCode::kUsage, "{} holds no run-*.json: name a folder that --out has filled",
                    folder.string());
    }
    return results_of(folder, std::move(runs));
}

std::vector<RunGroup> group_runs(const ResultsFolder& results) {
    std::vector<RunGroup> groups;
    const auto& runs = results.runs;
    for (std::size_t begin = 0; begin < runs.size();) {
        std::size_t end = begin + 1;
        while (end < runs.size() && runs[end].mode == runs[begin].mode &&
               runs[end].workers == runs[begin].workers) {
            ++end;
        }
        groups.push_back({runs[begin].mode, runs[begin].workers, runs[begin].oversubscribed,
                          std::span(runs).subspan(begin, end - begin)});
        begin = end;
    }
    return groups;
}

}  // namespace dp::experiments
