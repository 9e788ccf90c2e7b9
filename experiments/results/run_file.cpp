#include "experiments/results/run_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "experiments/options/injection.hpp"
#include "experiments/options/option_values.hpp"
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

Json path_json(const fs::path& path) { return path.empty() ? Json(nullptr) : Json(path.string()); }

std::size_t bytes_of(const core::ImageSet& images) {
    return images.pixels.size() + images.labels.size();
}

}  // namespace

Json run_config_json(const core::RunConfig& config, Scaling scaling, bool oversubscribed,
                     const core::Dataset& data) {
    const core::OptimizerConfig& optimizer = config.optimizer;
    return {{"mode", config.mode},
            {"workers", config.workers},
            {"threads_per_worker", 1},
            {"scaling", core::row_of(kScalings, scaling).name},
            {"oversubscribed", oversubscribed},
            {"model", config.model},
            {"dataset", config.dataset},
            {"data_source", data.source},
            {"training_images", data.train.size()},
            {"test_images", data.test.size()},
            {"data_bytes", bytes_of(data.train) + bytes_of(data.test)},
            {"epochs", config.epochs},
            {"steps_limit", optional_json(config.steps_limit)},
            {"batch_size", config.batch_size},
            {"effective_batch", config.batch_size * config.workers},
            {"optimizer", optimizer.name},
            {"learning_rate", optimizer.learning_rate},
            {"momentum", optimizer.momentum},
            {"weight_decay", optimizer.weight_decay},
            {"convolution",
             core::row_of(core::kConvolutionAlgorithms, config.network.convolution).name},
            {"precision", core::row_of(core::kPrecisions, config.network.precision).name},
            {"dropout", config.dropout},
            {"augment", config.augment},
            {"shuffle", config.shuffle},
            {"seed", config.seed},
            {"bucket_kib", config.bucket_kib},
            {"reduction", config.reduction},
            {"overlap", config.overlap},
            {"inject", config.delay ? Json(to_spec(*config.delay)) : Json(nullptr)},
            {"trace_steps", config.trace ? Json(to_text(*config.trace)) : Json(nullptr)},
            {"timeout_seconds", config.timeout_seconds},
            {"load", path_json(config.load)},
            {"save", path_json(config.save)}};
}

namespace {

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

fs::path write_run(const fs::path& folder, const RunRecord& record, const Machine& machine,
                   const core::Dataset& data) {
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
    document["config"] =
        run_config_json(record.config, record.place.scaling, record.oversubscribed, data);
    document["startup"] = startup_json(record);
    document["result"] = record.result ? Json(*record.result) : Json(nullptr);
    if (record.result) {
        // Traces have a file of their own.
        for (Json& worker : document["result"]["workers"]) worker.erase("trace");
        document["result"]["train_seconds"] = record.result->train_seconds();
        document["result"]["images_per_second"] = record.result->images_per_second();
    }

    const fs::path file =
        folder / run_file_name(record.config.mode, record.config.workers, record.place.repetition);
    write_json(file, document);
    return file;
}

}  // namespace dp::experiments
