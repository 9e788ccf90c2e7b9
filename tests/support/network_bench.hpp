// A network with blocks, input and labels of its own, for tests that execute it.
#pragma once

#include <omp.h>

#include <numeric>
#include <utility>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/base/random.hpp"
#include "core/nn/initial_parameters.hpp"
#include "core/nn/network.hpp"

namespace dp::tests {

/// Initial parameters of seed 1, inputs in [-1, 1), labels 0, 1, ... in turn.
struct Bench {
    Bench(const char* name, std::vector<std::size_t> training,
          const core::NetworkOptions& options = {})
        : Bench(core::find_model(name), std::move(training), options) {}
    /// `spec` must outlive it.
    Bench(const core::ModelSpec& spec, std::vector<std::size_t> training,
          const core::NetworkOptions& options = {})
        : model(spec),
          layout((omp_set_num_threads(1), core::plan_layout(model, training.front(), options))),
          network(model, layout, training, training),
          parameters(layout.parameters.size()),
          gradients(layout.parameters.size()),
          statistics(layout.statistics.size()),
          labels(training.front()),
          samples(training.front()) {
        core::fill_initial_parameters(layout.parameters, 1, parameters.span());
        core::fill_initial_statistics(layout.statistics, statistics.span());
        network.bind({parameters.span(), gradients.span(), statistics.span()});
        const core::RandomStream random(3, core::RandomUse::kSynthetic);
        const auto input = network.input();
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = 2.F * random.uniform(i) - 1.F;
        for (std::size_t i = 0; i < labels.size(); ++i)
            labels[i] = static_cast<int>(i % core::kClasses);
        std::iota(samples.begin(), samples.end(), 0U);
    }

    core::Batch batch(std::size_t size) { return {size, network.input(), labels, samples}; }

    const core::ModelSpec& model;
    core::NetworkLayout layout;
    core::Network network;
    core::FloatBlock parameters, gradients, statistics;
    std::vector<std::int32_t> labels;
    std::vector<std::uint32_t> samples;
};

}  // namespace dp::tests
