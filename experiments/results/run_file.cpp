#include "experiments/results/run_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>
#include <tuple>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "core/base/optional_json.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/run_totals.hpp"
#include "experiments/results/steps_file.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

std::string text_of(const std::error_code& error) { return error.message(); }

/// Not all steps are cold.
void check_cold_steps(const core::RunResult& result, const auto& require) {
    if (result.cold_steps == 0) return;
    const core::EpochResult first =
        result.epochs.empty() ? core::EpochResult{} : result.epochs.front();
    require(result.cold_steps < result.steps_per_epoch, "result.cold_steps", result.cold_steps);
    require(result.cold_images < first.images, "result.cold_images", result.cold_images);
    require(result.cold_seconds < first.train_seconds, "result.cold_seconds", result.cold_seconds);
}

/// What tables, statistics and names of files take for granted, beside the settings' own bounds.
void check_run(const Run& run) {
    const auto require = [&](bool holds, std::string_view field, const auto& value) {
        if (holds) return;
        throw Error(ExitCode::kData, "{}: {} is {}, which no run has: remove it, or run it again",
                    run.file.string(), field, value);
    };
    const auto is_name = [](const std::string& text) {
        return std::ranges::all_of(text, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        });
    };
    const std::string& reduction = run.settings.config.reduction;
    require(!run.mode().empty() && is_name(run.mode()), "config.mode", Json(run.mode()).dump());
    require(is_name(reduction), "config.reduction", Json(reduction).dump());
    require(run.repetition >= 1, "repetition", run.repetition);
    require(run.sequence >= 1, "sequence", run.sequence);
    if (run.failure) return;
    const core::RunResult& result = run.result;
    // A worker may play all ranks.
    require(result.workers.size() == run.workers() || result.workers.size() == 1,
            "the length of result.workers", result.workers.size());
    for (const core::EpochResult& epoch : result.epochs) {
        if (epoch.images == 0) continue;
        require(epoch.train_seconds > 0.0, "result.epochs[].train_seconds", epoch.train_seconds);
        require(result.steps_per_epoch >= 1, "result.steps_per_epoch", result.steps_per_epoch);
    }
    check_cold_steps(result, require);
    for (const core::WorkerReport& worker : result.workers) {
        require(worker.epochs.size() == result.epochs.size(),
                "the length of result.workers[].epochs", worker.epochs.size());
    }
}

Json run_json(const Run& run) {
    const std::optional<Failure>& failure = run.failure;
    Json document{{"schema", kRunSchema},
                  {"status", failure ? "failed" : "complete"},
                  {"repetition", run.repetition},
                  {"sequence", run.sequence},
                  {"started", run.started},
                  {"reason", nullptr},
                  {"exit_code", 0},
                  {"failed_rank", nullptr},
                  {"signal", nullptr},
                  {"context", run.context},
                  {"config", run.settings},
                  {"startup",
                   {{"data_load_seconds", run.startup.data_load_seconds},
                    {"before_runs_seconds", run.startup.before_runs_seconds},
                    {"first_step_seconds", run.first_step_seconds()}}},
                  {"conditions", run.conditions},
                  {"result", nullptr}};
    if (failure) {
        document["reason"] = failure->reason;
        document["exit_code"] = failure->code;
        document["failed_rank"] = failure->rank;
        document["signal"] = failure->signal;
        return document;
    }
    document["result"] = run.result;
    // Traces and steps have files of their own.
    for (Json& worker : document["result"]["workers"]) {
        worker.erase("trace");
        worker.erase("steps");
    }
    document["result"]["train_seconds"] = run.result.train_seconds();
    document["result"]["images_per_second"] = run.result.images_per_second();
    return document;
}

void read_settings(const Json& config, Run& run) try {
    // Without these nobody knows what was run; others have a default.
    for (const char* name :
         {"mode", "workers", "scaling", "batch_size", "oversubscribed", "model"}) {
        std::ignore = config.at(name);
    }
    config.get_to(run.settings);
} catch (const Error& error) {
    throw Error(ExitCode::kData, "{}: {}: remove it, or run it again", run.file.string(),
                error.what());
}

void read_failure(const Json& document, Failure& failure) {
    const Json& reason = document.at("reason");
    if (reason.is_string()) reason.get_to(failure.reason);
    document.at("exit_code").get_to(failure.code);
    document.at("failed_rank").get_to(failure.rank);
    document.at("signal").get_to(failure.signal);
}

Run parse_run(const Json& document, const fs::path& file) try {
    const auto& schema = document.at("schema").get_ref<const std::string&>();
    if (schema != kRunSchema) {
        throw Error(ExitCode::kData,
                    "{}: schema {} is not {}: read it with the dp_compare that wrote it",
                    file.string(), schema, kRunSchema);
    }
    Run run;
    run.file = file;
    document.at("repetition").get_to(run.repetition);
    document.at("sequence").get_to(run.sequence);
    document.at("started").get_to(run.started);
    run.context = document.at("context");
    const Json& startup = document.at("startup");
    startup.at("data_load_seconds").get_to(run.startup.data_load_seconds);
    startup.at("before_runs_seconds").get_to(run.startup.before_runs_seconds);
    read_settings(document.at("config"), run);
    if (document.at("status") == "complete") {
        document.at("result").get_to(run.result);
        // An older program did not write it.
        if (document.contains("conditions")) document["conditions"].get_to(run.conditions);
    } else {
        read_failure(document, run.failure.emplace());
    }
    check_run(run);
    return run;
} catch (const Json::exception& error) {
    throw Error(ExitCode::kData, "{} is not a run's file ({}): remove it, or run it again",
                file.string(), error.what());
}

}  // namespace

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
    return name.starts_with("run-") && (name.ends_with(".json") || name.ends_with(".json.gz"));
}

std::string utc_now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::optional<double> Run::first_step_seconds() const {
    if (failure || !startup.before_runs_seconds) return std::nullopt;
    return *startup.before_runs_seconds + set_up_seconds(result);
}

std::string run_file_name(const Run& run) {
    return fmt::format("run-{}-n{}-r{}.json", in_file_name(design_of(run.settings.config)),
                       run.workers(), run.repetition);
}

fs::path write_run(const fs::path& folder, const Run& run) {
    const fs::path file = folder / run_file_name(run);
    write_steps(folder, run);  // first: a run whose own file is there is complete
    write_json(file, run_json(run));
    return file;
}

Run read_run(const fs::path& file) {
    Run run = parse_run(read_json(file), file);
    read_steps(run);
    return run;
}

}  // namespace dp::experiments
