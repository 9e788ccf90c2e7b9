// The measurements that `dp_compare predict` makes when it is given none.
#pragma once

#include <cstddef>
#include <vector>

#include "experiments/predict/predict.hpp"
#include "experiments/sweep/request.hpp"

namespace dp::experiments::predict {

/// 1, 2, 4, ... and the whole CPUs of `usable_cpus`.
std::vector<std::size_t> calibrating_workers(double usable_cpus);

/// The sweep that calibrates `modes`: cifar_cnn on synthetic images, so many steps of each
/// configuration that a machine of two CPUs needs less than a minute. Throws Error(kUsage) for a
/// batch that leaves no full step, Error(kResources) for less than two usable CPUs.
experiments::Request calibrating_sweep(const std::vector<std::string>& modes,
                                       std::size_t batch_size, double usable_cpus);

/// Runs that sweep in a temporary folder that is gone afterwards, and measures the memory; says so
/// on stderr. Throws what runs throw.
analysis::Analysis calibrate(const Request& request);

}  // namespace dp::experiments::predict
