#include "experiments/results/run_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

template <typename T>
Json optional_json(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// first_step_seconds: from the process's start until the last worker began its first step, as it
/// is (or, in a sweep, would be) when this is the first run.
Json startup_json(const RunRecord& record) {
    Json startup{{"data_load_seconds", record.startup.data_load_seconds},
                 {"before_runs_seconds", optional_json(record.startup.before_runs_seconds)},
                 {"first_step_seconds", nullptr}};
    if (!record.result || !record.startup.before_runs_seconds) return startup;
    double setup = 0.0;
    for (const core::WorkerReport& worker : record.result->workers) {
        setup = std::max(setup, worker.setup_seconds);
    }
    startup["first_step_seconds"] = *record.startup.before_runs_seconds + setup;
    return startup;
}

std::string text_of(const std::error_code& error) { return error.message(); }

}  // namespace

RunSettings settings_of(const RunRecord& record, const core::Dataset& data) {
    return {record.config, record.place.scaling, record.oversubscribed, DataFacts(data)};
}

void prepare_out(const fs::path& folder, bool force,
                 const std::function<bool(std::string_view name)>& is_result) {
    std::error_code error;
    if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
        throw Error(ExitCode::kUsage, "--out {} is not a folder: choose another", folder.string());
    }
    fs::create_directories(folder, error);
    if (error) {
        throw Error(ExitCode::kUsage, "--out {} cannot be created ({}): choose another folder",
                    folder.string(), text_of(error));
    }
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
        throw Error(ExitCode::kUsage, "--out {} cannot be written ({}): choose another folder",
                    folder.string(), std::strerror(errno));
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().string();
        if (!is_result(name)) continue;
        if (force) {
            // All of them: rows of an earlier sweep must not stand beside the new ones.
            fs::remove_all(entry.path(), error);
            continue;
        }
        throw Error(
            ExitCode::kUsage,
            "--out {} already holds results ({}): choose another folder, or replace them with "
            "--force",
            folder.string(), name);
    }
    if (error) {
        throw Error(ExitCode::kUsage, "--out {} cannot be read ({}): choose another folder",
                    folder.string(), text_of(error));
    }
}

bool is_run_file(std::string_view name) {
    return name.starts_with("run-") && name.ends_with(".json");
}

std::string utc_now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string run_file_name(const std::string& mode, std::size_t workers, std::size_t repetition) {
    return fmt::format("run-{}-n{}-r{}.json", mode, workers, repetition);
}

Json run_json(const RunRecord& record, const Machine& machine, const core::Dataset& data) {
    Json document{{"schema", kRunSchema},
                  {"status", record.result ? "complete" : "failed"},
                  {"repetition", record.place.repetition},
                  {"sequence", record.place.sequence},
                  {"started", record.started}};
    const auto& failure = record.failure;
    document["reason"] = failure ? Json(failure->reason) : Json(nullptr);
    document["exit_code"] = failure ? static_cast<int>(failure->code) : 0;
    document["failed_rank"] = failure ? optional_json(failure->rank) : Json(nullptr);
    document["signal"] = failure ? optional_json(failure->signal) : Json(nullptr);
    document["context"] = context_json(machine);
    document["config"] = settings_of(record, data);
    document["startup"] = startup_json(record);
    document["result"] = record.result ? Json(*record.result) : Json(nullptr);
    if (record.result) {
        // Traces have a file of their own.
        for (Json& worker : document["result"]["workers"]) worker.erase("trace");
        document["result"]["train_seconds"] = record.result->train_seconds();
        document["result"]["images_per_second"] = record.result->images_per_second();
    }
    return document;
}

fs::path write_run(const fs::path& folder, const RunRecord& record, const Machine& machine,
                   const core::Dataset& data) {
    const fs::path file =
        folder / run_file_name(record.config.mode, record.config.workers, record.place.repetition);
    write_json(file, run_json(record, machine, data));
    return file;
}

}  // namespace dp::experiments
