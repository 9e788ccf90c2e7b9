#include "experiments/analysis/models.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/exchange/exchange_traits.hpp"
#include "experiments/analysis/analysis.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

using namespace statistics;
using Configurations = std::vector<const Configuration*>;

std::vector<Point> speedups(const Configurations& configurations) {
    std::vector<Point> points;
    for (const Configuration* each : configurations) {
        if (each->scaling) points.push_back({each->workers, each->scaling->speedup.median});
    }
    return points;
}

/// The repetitions that every configuration has, and in which every one computed.
std::vector<Repetition> repetitions_of(const Configurations& configurations) {
    std::vector<Repetition> all;
    for (const Run& first : configurations.front()->runs) {
        Repetition points;
        for (const Configuration* each : configurations) {
            const auto run = std::ranges::find(each->runs, first.repetition, &Run::repetition);
            if (run == each->runs.end()) break;
            const StepParts parts = step_parts(run->result);
            if (parts.compute > 0.0) points.push_back({each->workers, parts});
        }
        if (points.size() == configurations.size()) all.push_back(std::move(points));
    }
    return all;
}

double held_bytes(const core::RunResult& result) {
    double bytes = 0.0;
    for (const auto kind :
         {&core::WorkerMemory::parameters_bytes, &core::WorkerMemory::gradients_bytes,
          &core::WorkerMemory::optimizer_bytes, &core::WorkerMemory::activations_bytes}) {
        bytes += static_cast<double>(allocated_bytes(result, kind));
    }
    return bytes / static_cast<double>(result.workers.size());
}

Outcome<Predictor> predictor_of(const Configurations& fair) {
    const auto refused = [](std::string reason) {
        return Outcome<Predictor>::refused(std::move(reason));
    };
    if (fair.empty()) return refused("every N is oversubscribed");
    const Run& last = fair.back()->runs.front();
    const core::RunConfig& config = last.settings.config;
    const Mode& mode = find_mode(config.mode);
    const auto traits = mode.find_reduction(last.result.reduction);
    if (mode.has_teams || !traits) return refused("no model of its exchange");
    if (config.shards) {
        return refused(
            "with --shards a worker's step is several batches, which the model does not know: "
            "measure without");
    }
    if (fair.front()->runs.front().settings.config.batch_size != config.batch_size) {
        return refused(
            "the batch per worker changes with N, and computing is not proportional to it: "
            "measure with --scaling fixed-epoch");
    }
    const std::string& update = last.result.update_kind;
    const bool sliced = update == core::name_of(core::UpdateKind::kSliced) ||
                        update == core::name_of(core::UpdateKind::kSharded);
    return Predictor::make(repetitions_of(fair), {traits->sent_per_byte, sliced, config.batch_size,
                                                  held_bytes(last.result)});
}

}  // namespace

StepParts step_parts(const core::RunResult& result) {
    const double steps = steps_of(result);
    DP_CHECK(steps, >, 0.0);
    TimeParts parts = time_parts(result);
    parts *= 1.0 / steps;
    if (result.update_kind == core::name_of(core::UpdateKind::kCentral)) {
        // What one rank does while all others wait for it is no waiting for uneven speed.
        const double others = static_cast<double>(result.workers.size() - 1) * parts.update;
        const double waited = std::min(others, parts.publish);
        parts.update += waited;
        parts.publish -= waited;
    }
    // Where ranks send each other what they have updated, that is the second half of the exchange.
    const bool sends = result.update_kind == core::name_of(core::UpdateKind::kSharded);
    const double sent = sends ? parts.publish : 0.0;
    return {.load = parts.load,
            .compute = parts.forward + parts.backward,
            .transfer = parts.transfer_exposed + parts.transfer_hidden + sent,
            .wait = parts.wait + parts.publish - sent,
            .update = parts.update,
            .other = parts.other};
}

ModeModels fit_models(const std::string& design,
                      std::span<const Configuration* const> configurations, bool weak) {
    Configurations fair;
    for (const Configuration* each : configurations) {
        if (!each->oversubscribed && !each->settings.empty() && each->images_per_second &&
            (fair.empty() || fair.front()->settings == each->settings)) {
            fair.push_back(each);
        }
    }
    ModeModels models{design, predictor_of(fair)};
    const std::vector<Point> points = speedups(fair);
    for (const Law law : {weak ? Law::kGustafson : Law::kAmdahl, Law::kUniversal}) {
        models.laws.push_back({law, fit_law(law, points)});
    }
    if (models.predictor) {
        models.predictions.push_back(models.predictor->predict(models.predictor->reach()));
    }
    return models;
}

}  // namespace dp::experiments::analysis
