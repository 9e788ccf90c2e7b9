#include "experiments/analysis/usage_figures.hpp"

#include <algorithm>
#include <vector>

#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

statistics::Summary summary_of(std::span<const Run> runs, auto value) {
    std::vector<double> values;
    for (const Run& run : runs) values.push_back(value(run));
    return statistics::summarise(values);
}

/// None where `value` of a run is none.
std::optional<statistics::Summary> summary_if_all(std::span<const Run> runs, auto value) {
    const bool all =
        std::ranges::all_of(runs, [&](const Run& run) { return value(run).has_value(); });
    if (!all) return std::nullopt;
    return summary_of(runs, [&](const Run& run) { return *value(run); });
}

/// Of a worker; none where the kernel does not tell.
std::optional<double> migrations_per_epoch(const Run& run) {
    const auto moves = migrations_of(run.result);
    if (!moves) return std::nullopt;
    return *moves / static_cast<double>(run.result.workers.size() * run.result.epochs.size());
}

double cpu_share(const Run& run) {
    const double wall =
        sum_of(run.result, [](const core::WorkerEpoch& epoch) { return epoch.wall_seconds; });
    const double cpu =
        sum_of(run.result, [](const core::WorkerEpoch& epoch) { return epoch.usage.cpu_seconds; });
    return wall > 0.0 ? cpu / wall : 0.0;
}

/// Of the first worker in one epoch.
double exchange_calls(const core::RunResult& result) {
    double calls = 0.0;
    for (const core::WorkerEpoch& epoch : result.workers.front().epochs) {
        calls += static_cast<double>(epoch.exchange.calls);
    }
    return calls / static_cast<double>(result.epochs.size());
}

double sent_bytes(const core::RunResult& result) {
    const auto sent = [](const core::WorkerEpoch& epoch) { return epoch.exchange.sent_bytes; };
    return sum_of(result, sent) / static_cast<double>(result.epochs.size());
}

}  // namespace

Metrics find_metrics(std::span<const Run> runs) {
    Metrics metrics;
    metrics.exchange_calls_per_epoch = exchange_calls(runs.front().result);
    metrics.sent_bytes_per_epoch = sent_bytes(runs.front().result);
    metrics.exchange_seconds =
        summary_of(runs, [](const Run& run) { return time_parts(run.result).exchange(); });
    metrics.iteration_seconds =
        summary_of(runs, [](const Run& run) { return run.result.step_seconds(); });
    metrics.compute_to_communication =
        summary_if_all(runs, [](const Run& run) { return compute_to_communication(run.result); });
    metrics.voluntary_switches_per_step = summary_of(runs, [](const Run& run) {
        return per_step(run.result, &core::ThreadUsage::voluntary_switches);
    });
    metrics.involuntary_switches_per_step = summary_of(runs, [](const Run& run) {
        return per_step(run.result, &core::ThreadUsage::involuntary_switches);
    });
    metrics.migrations_per_epoch = summary_if_all(runs, migrations_per_epoch);
    metrics.cpu_share = summary_of(runs, cpu_share);
    metrics.start_up_seconds =
        summary_of(runs, [](const Run& run) { return set_up_seconds(run.result); });
    return metrics;
}

std::optional<Memory> find_memory(std::span<const Run> runs) {
    const auto bytes_of = [&](std::uint64_t core::ProcessMemory::*field) {
        return summary_if_all(runs, [field](const Run& run) -> std::optional<double> {
            const auto bytes = process_bytes(run.result, field);
            return bytes ? std::optional(static_cast<double>(*bytes)) : std::nullopt;
        });
    };
    const auto total = bytes_of(&core::ProcessMemory::pss_bytes);
    const auto private_bytes = bytes_of(&core::ProcessMemory::private_bytes);
    if (!total || !private_bytes) return std::nullopt;
    // What was allocated is the same in every repetition.
    const core::RunResult& first = runs.front().result;
    const auto allocated = [&](std::uint64_t core::WorkerMemory::*field) {
        return static_cast<double>(allocated_bytes(first, field));
    };
    Memory result{processes_of(first),
                  *total,
                  *private_bytes,
                  allocated(&core::WorkerMemory::parameters_bytes),
                  allocated(&core::WorkerMemory::gradients_bytes),
                  allocated(&core::WorkerMemory::optimizer_bytes),
                  allocated(&core::WorkerMemory::activations_bytes),
                  static_cast<double>(runs.front().settings.data.bytes),
                  {}};
    const double rest = total->median - result.parameters_bytes - result.gradients_bytes -
                        result.optimizer_bytes - result.activations_bytes - result.data_bytes;
    if (rest >= 0.0) result.rest_bytes = rest;
    return result;
}

}  // namespace dp::experiments::analysis
