// How long a sweep still takes, from the runs that it has done.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "experiments/results/run.hpp"

namespace dp::experiments {

class TimeLeft {
public:
    /// `usable_cpus` bounds how many workers compute at once; an epoch has `training_images`,
    /// unless a run limits its steps.
    TimeLeft(double usable_cpus, std::size_t training_images)
        : usable_cpus_(usable_cpus), training_images_(training_images) {}

    void add_done(const core::RunConfig& config, double seconds);

    /// Of one run: the mean of its configuration's earlier ones; without any, from the images that
    /// a CPU took per second in all of them. None before the first run has ended.
    [[nodiscard]] std::optional<double> estimate_seconds(const core::RunConfig& config) const;
    /// Of all `runs` that were not started; 0 before the first has ended.
    [[nodiscard]] double estimate_seconds(std::span<const Run> runs) const;

private:
    struct Sum {
        double seconds = 0.0;
        std::size_t runs = 0;
    };

    /// Images that each busy CPU trains on in such a run.
    [[nodiscard]] double cpu_images(const core::RunConfig& config) const;

    double usable_cpus_;
    std::size_t training_images_;
    std::map<std::pair<std::string, std::size_t>, Sum> done_;  // by design and workers
    double seconds_ = 0.0;
    double cpu_images_ = 0.0;
};

/// "3 min 12 s", "45 s", "2 h 05 min".
std::string duration_text(double seconds);

}  // namespace dp::experiments
