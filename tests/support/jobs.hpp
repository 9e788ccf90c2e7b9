// Small jobs for tests that train: data, a configuration, sources.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "core/checkpoint/checkpoint.hpp"
#include "core/data/synthetic.hpp"
#include "core/train/data_job.hpp"

namespace dp::tests {

/// A listener that hears nothing.
inline core::RunListener& silence() {
    static core::RunListener listener;
    return listener;
}

/// A job on `data`, which must outlive it.
inline core::Job make_job(const core::RunConfig& config, const core::Dataset& data,
                          core::RunListener& listener = silence()) {
    return core::make_data_job(config, data, nullptr, listener);
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
