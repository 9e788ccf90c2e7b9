#include "experiments/report/reproduction.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "core/data/dataset_table.hpp"
#include "core/optim/optimizer.hpp"
#include "core/train/run_config.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/sweep_file.hpp"

namespace dp::experiments::report {
namespace {

using Json = nlohmann::ordered_json;

std::string join(const auto& values) {
    std::string text;
    for (const auto& value : values) text += fmt::format("{}{}", text.empty() ? "" : ",", value);
    return text;
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Adds `--name value` where the run's differs from `usual`.
void add_changed(std::string& line, const Json& config, const char* field, const char* option,
                 const Json& usual) {
    const Json& value = config.at(field);
    if (value.is_null() || value == usual) return;
    line += fmt::format(" {} {}", option, quote_for_shell(text_of(value)));
}

std::string from_runs(const ResultsFolder& results) {
    std::vector<std::string> modes;
    std::set<std::size_t> workers;
    std::size_t repetitions = 1;
    for (const StoredRun& run : results.runs) {
        if (std::ranges::find(modes, run.mode) == modes.end()) modes.push_back(run.mode);
        workers.insert(run.workers);
        repetitions = std::max(repetitions, run.repetition);
    }
    const Json& config = results.runs.front().config;
    const core::RunConfig usual;
    const auto optimizer = core::OptimizerConfig::defaults(text_of(config.at("optimizer")));
    std::string line = fmt::format("dp_compare --mode {} -n {}", join(modes), join(workers));
    if (repetitions > 1) line += fmt::format(" --reps {}", repetitions);
    add_changed(line, config, "scaling", "--scaling", "fixed-epoch");
    add_changed(line, config, "dataset", "--dataset", usual.dataset);
    const std::string dataset = text_of(config.at("dataset"));
    if (dataset != "synthetic") {
        line += " --data-dir " + quote_for_shell(text_of(config.at("data_source")));
    }
    add_changed(line, config, "model", "--model", core::find_dataset(dataset).default_model);
    add_changed(line, config, "epochs", "--epochs", usual.epochs);
    // Weak scaling sets the limit itself.
    if (results.runs.front().scaling != "weak") {
        add_changed(line, config, "steps_limit", "--steps", nullptr);
    }
    if (results.runs.front().scaling == "strong") {
        add_changed(line, config, "effective_batch", "--global-batch", nullptr);
    } else {
        add_changed(line, config, "batch_size", "--batch-size", usual.batch_size);
    }
    add_changed(line, config, "optimizer", "--optimizer", usual.optimizer.name);
    add_changed(line, config, "learning_rate", "--lr", optimizer.learning_rate);
    add_changed(line, config, "momentum", "--momentum", optimizer.momentum);
    add_changed(line, config, "weight_decay", "--weight-decay", optimizer.weight_decay);
    add_changed(line, config, "dropout", "--dropout", usual.dropout);
    add_changed(line, config, "convolution", "--convolution", core::kConvolutionAlgorithms[0].name);
    add_changed(line, config, "precision", "--precision", core::kPrecisions[0].name);
    add_changed(line, config, "seed", "--seed", usual.seed);
    for (const StoredRun& run : results.runs) {
        const std::string reduction = text_of(run.config.at("reduction"));
        if (reduction == find_mode(run.mode).reductions().front().name) continue;
        line += " --reduction " + reduction;
        break;
    }
    add_changed(line, config, "bucket_kib", "--bucket-kib", usual.bucket_kib);
    if (config.at("augment").get<bool>()) line += " --augment";
    if (!config.at("shuffle").get<bool>()) line += " --no-shuffle";
    if (!config.at("overlap").get<bool>()) line += " --overlap off";
    add_changed(line, config, "inject", "--inject", nullptr);
    add_changed(line, config, "load", "--load", "");
    return line + " --out DIR";
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
    std::string line = "dp_compare";
    for (const std::string& argument : sweep.arguments) line += " " + quote_for_shell(argument);
    return line + " --out DIR";
}

}  // namespace dp::experiments::report
