// Small jobs for tests that train: data, a configuration, sources.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "core/data/batch_loader.hpp"
#include "core/data/synthetic.hpp"
#include "core/train/checkpoint.hpp"
#include "core/train/job.hpp"

namespace dp::tests {

/// A listener that hears nothing.
inline core::RunListener& silence() {
    static core::RunListener listener;
    return listener;
}

/// A job on `data`, which must outlive it.
inline core::Job make_job(const core::RunConfig& config, const core::Dataset& data,
                          core::RunListener& listener = silence()) {
    core::Job job;
    job.config = config;
    job.model = &core::find_model(config.model);
    job.listener = &listener;
    job.started = std::chrono::steady_clock::now();
    job.training = [&data, config](std::size_t rank) {
        return core::make_training_source(
            data, {rank, config.workers, config.batch_size, config.seed, config.shuffle,
                   config.augment, config.steps_limit});
    };
    job.evaluation = [&data, config](std::size_t rank) {
        return core::make_evaluation_source(data, rank, config.workers, config.batch_size);
    };
    return job;
}

/// cifar_cnn (batch norm, dropout) on batches of 16, two epochs.
inline core::RunConfig small_config(const std::string& mode, std::size_t workers) {
    core::RunConfig config;
    config.mode = mode;
    config.workers = workers;
    config.batch_size = 16;
    config.epochs = 2;
    config.timeout_seconds = 60.0;
    return config;
}

}  // namespace dp::tests
