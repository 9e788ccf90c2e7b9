#include "core/train/model_state.hpp"

#include <bit>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/base/random.hpp"
#include "core/nn/initial_parameters.hpp"

namespace dp::core {
namespace {

void fill(const StateDict& state, const TensorLayout& layout, std::span<float> block) {
    for (std::size_t i = 0; i < layout.tensors().size(); ++i) {
        const NamedTensor* tensor = state.find(layout.tensors()[i].name);
        DP_CHECK(tensor != nullptr, ==, true);
        layout.from_plain(tensor->values, i, block);
    }
}

}  // namespace

void fill_parameters(const Job& job, const NetworkLayout& layout, std::span<float> parameters) {
    if (job.initial != nullptr) {
        check_matches(*job.initial, layout.parameters.tensors(), layout.statistics.tensors(),
                      job.model->name, job.config.load);
        fill(*job.initial, layout.parameters, parameters);
    } else {
        fill_initial_parameters(layout.parameters, job.config.seed, parameters);
    }
}

void fill_statistics(const Job& job, const NetworkLayout& layout, std::span<float> statistics) {
    if (job.initial != nullptr) {
        fill(*job.initial, layout.statistics, statistics);
    } else {
        fill_initial_statistics(layout.statistics, statistics);
    }
}

StateDict to_state_dict(const NetworkLayout& layout, std::span<const float> parameters,
                        std::span<const float> statistics) {
    StateDict state;
    const auto owner = [](const std::string& name) { return name.substr(0, name.rfind('.')); };
    const auto parameter_tensors = layout.parameters.tensors();
    const auto statistic_tensors = layout.statistics.tensors();
    std::size_t statistic = 0;
    for (std::size_t i = 0; i < parameter_tensors.size(); ++i) {
        state.tensors.push_back(layout.parameters.to_plain(parameters, i));
        // A layer's statistics follow its last parameter.
        const std::string layer = owner(parameter_tensors[i].name);
        if (i + 1 < parameter_tensors.size() && owner(parameter_tensors[i + 1].name) == layer) {
            continue;
        }
        while (statistic < statistic_tensors.size() &&
               owner(statistic_tensors[statistic].name) == layer) {
            state.tensors.push_back(layout.statistics.to_plain(statistics, statistic++));
        }
    }
    DP_CHECK(statistic, ==, statistic_tensors.size());
    return state;
}

void save_model(const Job& job, const NetworkLayout& layout, std::span<const float> parameters,
                std::span<const float> statistics, std::size_t batches_tracked) {
    StateDict state = to_state_dict(layout, parameters, statistics);
    const RunConfig& config = job.config;
    state.batches_tracked = static_cast<std::int64_t>(batches_tracked);
    state.metadata = {
        {"format", "pt"},
        {"model", config.model},
        {"mode", config.mode},
        {"workers", fmt::to_string(config.workers)},
        {"epoch", fmt::to_string(config.epochs)},
        {"step", fmt::to_string(batches_tracked)},
        {"seed", fmt::to_string(config.seed)},
        {"batch_size", fmt::to_string(config.batch_size)},
        {"optimizer", config.optimizer.name},
        {"learning_rate", fmt::to_string(config.optimizer.learning_rate)},
    };
    save_checkpoint(config.save, state);
}

std::uint64_t parameter_checksum(const TensorLayout& layout, std::span<const float> parameters) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < layout.tensors().size(); ++i) {
        for (const float value : layout.to_plain(parameters, i).values) {
            hash = splitmix64(hash ^ std::bit_cast<std::uint32_t>(value));
        }
    }
    return hash;
}

}  // namespace dp::core
