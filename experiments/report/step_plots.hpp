// The data of the plots of single steps: their histogram, and the timeline of one.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "experiments/report/plot_data.hpp"

namespace dp::experiments::report {

/// The histograms of those of `configurations` that are not oversubscribed: of each design with one
/// worker and with most.
PlotData steps_histogram(
    std::span<const std::reference_wrapper<const analysis::Configuration>> configurations);

/// The step of `trace` that lasts nearest to the median step of its design and number of workers.
/// Its caption says both.
PlotData timeline(const analysis::Analysis& analysis, const std::string& design,
                  const TraceContents& trace);

}  // namespace dp::experiments::report
