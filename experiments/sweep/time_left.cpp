#include "experiments/sweep/time_left.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "experiments/modes.hpp"

namespace dp::experiments {

double TimeLeft::cpu_images(const core::RunConfig& config) const {
    std::size_t images = training_images_;
    if (config.steps_limit) {
        images = std::min(images, *config.steps_limit * global_batch(config));
    }
    const auto cpus = static_cast<double>(mode_of(config.mode).cpus(config.workers));
    return static_cast<double>(images * config.epochs) /
           std::max(1.0, std::min(cpus, usable_cpus_));
}

void TimeLeft::add_done(const core::RunConfig& config, double seconds) {
    Sum& sum = done_[{design_of(config), config.workers}];
    sum.seconds += seconds;
    ++sum.runs;
    seconds_ += seconds;
    cpu_images_ += cpu_images(config);
}

std::optional<double> TimeLeft::estimate_seconds(const core::RunConfig& config) const {
    const auto same = done_.find({design_of(config), config.workers});
    if (same != done_.end()) return same->second.seconds / static_cast<double>(same->second.runs);
    if (cpu_images_ <= 0.0) return std::nullopt;
    return seconds_ / cpu_images_ * cpu_images(config);
}

double TimeLeft::estimate_seconds(std::span<const Run> runs) const {
    double seconds = 0.0;
    for (const Run& run : runs) {
        if (run.started.empty()) seconds += estimate_seconds(run.settings.config).value_or(0.0);
    }
    return seconds;
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<long>(std::max(0.0, seconds) + 0.5);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace dp::experiments
