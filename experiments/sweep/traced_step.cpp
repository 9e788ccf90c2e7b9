#include "experiments/sweep/traced_step.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "experiments/analysis/step_figures.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/cold_steps.hpp"

namespace dp::experiments {

core::StepRange steps_to_show(std::span<const Run> runs, const core::RunConfig& config,
                              const core::RunResult& result, const core::StepRange& traced) {
    std::vector<Run> same;
    std::ranges::copy_if(runs, std::back_inserter(same), [&](const Run& run) {
        return design_of(run.settings.config) == design_of(config) &&
               run.workers() == config.workers;
    });
    const auto figures = analysis::find_step_figures(same);
    const std::vector<double> seconds = step_seconds(result);
    std::size_t nearest = traced.first;
    for (std::size_t step = traced.first; figures && step <= traced.last; ++step) {
        const auto distance = [&](std::size_t of) {
            return std::abs(seconds.at(of - 1) - figures->p50_seconds.median);
        };
        if (distance(step) < distance(nearest)) nearest = step;
    }
    return {std::max(traced.first, nearest - 1), std::min(traced.last, nearest + 1)};
}

}  // namespace dp::experiments
