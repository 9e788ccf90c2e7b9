#include "experiments/analysis/settings.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace dp::experiments::analysis {
namespace {

using Json = nlohmann::ordered_json;

/// Of `config`: not what names a configuration (mode, workers), follows from it, or leaves a step's
/// time alone.
constexpr std::array<std::string_view, 22> kConfig{
    "scaling",     "model",     "dataset",       "training_images",   "test_images",  "epochs",
    "steps_limit", "optimizer", "learning_rate", "momentum",          "weight_decay", "convolution",
    "precision",   "dropout",   "augment",       "shuffle",           "seed",         "bucket_kib",
    "overlap",     "inject",    "load",          "threads_per_worker"};
constexpr std::array<std::string_view, 9> kContext{"host",       "cpu_model",      "usable_cpus",
                                                   "kernel",     "onednn_version", "onednn_runtime",
                                                   "onednn_isa", "build",          "environment"};

void take(const Json& from, auto names, std::vector<std::pair<std::string, std::string>>& into) {
    for (const std::string_view name : names) {
        const auto found = from.find(name);
        into.emplace_back(name, found == from.end() ? "" : found->dump());
    }
}

std::vector<std::pair<std::string, std::string>> settings_of(const StoredRun& run) {
    std::vector<std::pair<std::string, std::string>> settings;
    take(run.config, kConfig, settings);
    // With strong scaling the batch of all workers is what stays.
    const char* const batch = run.scaling == "strong" ? "effective_batch" : "batch_size";
    take(run.config, std::array<std::string_view, 1>{batch}, settings);
    take(run.context, kContext, settings);
    return settings;
}

}  // namespace

std::string comparable_settings(const StoredRun& run) {
    std::string text;
    for (const auto& [name, value] : settings_of(run)) text += name + "=" + value + "\n";
    return text;
}

std::vector<Difference> find_differences(std::span<const StoredRun> runs) {
    std::vector<Difference> differences;
    for (const StoredRun& run : runs) {
        for (const auto& [name, value] : settings_of(run)) {
            auto found = std::ranges::find(differences, name, &Difference::setting);
            if (found == differences.end()) {
                found = differences.insert(differences.end(), {name, {}});
            }
            if (std::ranges::find(found->values, value) == found->values.end()) {
                found->values.push_back(value);
            }
        }
    }
    std::erase_if(differences, [](const Difference& each) { return each.values.size() < 2; });
    return differences;
}

}  // namespace dp::experiments::analysis
