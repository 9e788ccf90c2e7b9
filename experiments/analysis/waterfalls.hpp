// Why each design's workers lose time against ideal, and who had the CPUs that they wanted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/statistics/waterfall.hpp"

namespace dp::experiments::analysis {

struct Analysis;

/// Seconds over all runs of a configuration. Of others, the hypervisor and the control group, none
/// where not all runs tell.
struct CpuTakers {
    double off_cpu = 0.0;  // in which a worker had load, forward, backward or update to do, no CPU
    std::optional<double> others;     // CPU time of other programs
    std::optional<double> steal;      // that the hypervisor took
    std::optional<double> throttled;  // that the control group's quota took
};

/// What is lost in training, split at what N serial runs at once reach, over the repetitions.
struct CeilingSplit {
    statistics::Summary machine_seconds;  // that they lose as well
    statistics::Summary design_seconds;   // the rest, which the design loses
};

struct ModeWaterfall {
    std::string design;
    std::string baseline;  // "serial, N = 1"
    statistics::Waterfall waterfall;
    CpuTakers takers;
    std::optional<CeilingSplit> ceiling;  // none where it was not measured
};

/// Of each design with a baseline, for its largest N that is not oversubscribed.
std::vector<ModeWaterfall> find_waterfalls(const Analysis& analysis);

}  // namespace dp::experiments::analysis
