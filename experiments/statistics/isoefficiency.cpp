#include "experiments/statistics/isoefficiency.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace dp::experiments::statistics {

double efficiency_of(const StepModel& model, std::size_t workers, std::size_t batch) {
    return model.step(1, batch).total() / model.step(workers, batch).total();
}

Outcome<Isoefficiency> batch_for_efficiency(const StepModel& model, std::size_t workers,
                                            double target, std::size_t batch) {
    DP_CHECK(target, >, 0.0);
    DP_CHECK(target, <=, 1.0);
    const auto result = [&](std::size_t found) {
        const double efficiency = efficiency_of(model, workers, batch);
        if (batch <= found || efficiency >= target) {
            return Outcome(Isoefficiency{found, efficiency_of(model, workers, found)});
        }
        return Outcome<Isoefficiency>::refused(fmt::format(
            "compute inflation and waiting, which grow with the batch, leave {:.0f} % with {} "
            "workers and a batch of {}",
            100.0 * efficiency, workers, batch));
    };
    if (efficiency_of(model, workers, 1) >= target) return result(1);

    // With batch b a step is b v + f, and b v1 + f1 with one worker. Their ratio reaches the target
    // once b (v1 - target v) >= target f - f1.
    const double gain = model.seconds_per_image(1) - target * model.seconds_per_image(workers);
    const double missing = target * model.fixed_seconds(workers) - model.fixed_seconds(1);
    if (gain <= 0.0) {
        return Outcome<Isoefficiency>::refused(
            fmt::format("no batch per worker holds an efficiency of {:.0f} % with {} workers: "
                        "compute inflation "
                        "and waiting, which grow with the batch, leave {:.0f} %",
                        100.0 * target, workers,
                        100.0 * model.seconds_per_image(1) / model.seconds_per_image(workers)));
    }
    return result(static_cast<std::size_t>(std::ceil(missing / gain)));
}

}  // namespace dp::experiments::statistics
