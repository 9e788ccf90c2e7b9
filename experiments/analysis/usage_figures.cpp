#include "experiments/analysis/usage_figures.hpp"

#include <algorithm>
#include <vector>

#include "experiments/results/run_totals.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {
namespace {

double median_of(std::span<const Run> runs, auto value) {
    std::vector<double> values;
    for (const Run& run : runs) values.push_back(value(run));
    return statistics::median(values);
}

/// Per step of a worker.
double per_step(std::span<const Run> runs, auto value) {
    return median_of(runs, [&](const Run& run) {
        return sum_of(run.result, value) / steps_of(run.result) /
               static_cast<double>(run.result.workers.size());
    });
}

/// Per epoch of a worker; none where a run does not tell.
std::optional<double> migrations(std::span<const Run> runs) {
    std::vector<double> values;
    for (const Run& run : runs) {
        const auto moves = migrations_of(run.result);
        if (!moves) return std::nullopt;
        values.push_back(*moves /
                         static_cast<double>(run.result.workers.size() * run.result.epochs.size()));
    }
    return statistics::median(values);
}

/// Of the first worker in one epoch.
double exchange_calls(const core::RunResult& result) {
    double calls = 0.0;
    for (const core::WorkerEpoch& epoch : result.workers.front().epochs) {
        calls += static_cast<double>(epoch.exchange.calls);
    }
    return calls / static_cast<double>(result.epochs.size());
}

std::optional<Memory> memory_of(const Run& run) {
    const core::RunResult& result = run.result;
    const auto total = process_bytes(result, &core::ProcessMemory::pss_bytes);
    const auto private_bytes = process_bytes(result, &core::ProcessMemory::private_bytes);
    if (!total || !private_bytes) return std::nullopt;
    const auto allocated = [&](std::uint64_t core::WorkerMemory::*field) {
        return static_cast<double>(allocated_bytes(result, field));
    };
    return Memory{processes_of(result),
                  static_cast<double>(*total),
                  static_cast<double>(*private_bytes),
                  allocated(&core::WorkerMemory::parameters_bytes),
                  allocated(&core::WorkerMemory::gradients_bytes),
                  allocated(&core::WorkerMemory::optimizer_bytes),
                  allocated(&core::WorkerMemory::activations_bytes),
                  static_cast<double>(run.settings.data.bytes),
                  {}};
}

}  // namespace

Metrics find_metrics(std::span<const Run> runs) {
    Metrics metrics;
    metrics.exchange_calls_per_epoch =
        median_of(runs, [](const Run& run) { return exchange_calls(run.result); });
    metrics.sent_bytes_per_epoch = median_of(runs, [](const Run& run) {
        const auto sent = [](const core::WorkerEpoch& epoch) { return epoch.exchange.sent_bytes; };
        return sum_of(run.result, sent) / static_cast<double>(run.result.epochs.size());
    });
    metrics.exchange_seconds =
        median_of(runs, [](const Run& run) { return time_parts(run.result).exchange(); });
    metrics.iteration_seconds = median_of(
        runs, [](const Run& run) { return run.result.train_seconds() / steps_of(run.result); });
    if (std::ranges::all_of(runs, [](const Run& run) {
            return compute_to_communication(run.result).has_value();
        })) {
        metrics.compute_to_communication =
            median_of(runs, [](const Run& run) { return *compute_to_communication(run.result); });
    }
    metrics.voluntary_switches_per_step = per_step(
        runs, [](const core::WorkerEpoch& epoch) { return epoch.usage.voluntary_switches; });
    metrics.involuntary_switches_per_step = per_step(
        runs, [](const core::WorkerEpoch& epoch) { return epoch.usage.involuntary_switches; });
    metrics.migrations_per_epoch = migrations(runs);
    metrics.cpu_share = median_of(runs, [](const Run& run) {
        const double wall =
            sum_of(run.result, [](const core::WorkerEpoch& epoch) { return epoch.wall_seconds; });
        const double cpu = sum_of(
            run.result, [](const core::WorkerEpoch& epoch) { return epoch.usage.cpu_seconds; });
        return wall > 0.0 ? cpu / wall : 0.0;
    });
    metrics.start_up_seconds =
        median_of(runs, [](const Run& run) { return set_up_seconds(run.result); });
    return metrics;
}

std::optional<Memory> find_memory(std::span<const Run> runs) {
    std::vector<Memory> all;
    for (const Run& run : runs) {
        const auto memory = memory_of(run);
        if (!memory) return std::nullopt;
        all.push_back(*memory);
    }
    const auto median_of_all = [&](double Memory::*field) {
        std::vector<double> values;
        for (const Memory& memory : all) values.push_back(memory.*field);
        return statistics::median(values);
    };
    Memory result = all.front();  // what was allocated is the same in every repetition
    result.total_bytes = median_of_all(&Memory::total_bytes);
    result.private_bytes = median_of_all(&Memory::private_bytes);
    const double rest = result.total_bytes - result.parameters_bytes - result.gradients_bytes -
                        result.optimizer_bytes - result.activations_bytes - result.data_bytes;
    if (rest >= 0.0) result.rest_bytes = rest;
    return result;
}

}  // namespace dp::experiments::analysis
