// The `config` of a run's file: what the run was asked, and what follows from that.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/data/dataset.hpp"
#include "core/nn/network_options.hpp"
#include "core/train/run_config.hpp"

namespace dp::experiments {

/// How the work of a run follows from the worker count; see --scaling.
enum class Scaling { kFixedEpoch, kStrong, kWeak };

inline constexpr std::array kScalings{
    core::OptionRow<Scaling>{"fixed-epoch", Scaling::kFixedEpoch,
                             "the batch per worker stays, N workers share the epoch"},
    core::OptionRow<Scaling>{"strong", Scaling::kStrong,
                             "the global batch stays, N workers share it"},
    core::OptionRow<Scaling>{"weak", Scaling::kWeak,
                             "each worker's batch and steps stay, N workers do N times the work"},
};

/// What a result says of its data set.
struct DataFacts {
    DataFacts() = default;
    explicit DataFacts(const core::Dataset& data);

    std::string source;
    std::size_t training_images = 0;
    std::size_t test_images = 0;
    std::size_t bytes = 0;  // of all images and labels
    std::string digest;     // of their content, 16 hexadecimal digits
};

struct RunSettings {
    core::RunConfig config;
    Scaling scaling = Scaling::kFixedEpoch;
    bool oversubscribed = false;
    DataFacts data;
};

/// One field for each row of the settings' table.
void to_json(nlohmann::ordered_json& json, const RunSettings& run);
/// Sets what `json` has; the rest keeps its default, as in the program that did not know it.
/// Throws Error(kData) that names the field when a value is of another type or out of range.
void from_json(const nlohmann::ordered_json& json, RunSettings& run);

}  // namespace dp::experiments
