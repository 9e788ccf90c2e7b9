#include "experiments/analysis/usage_figures.hpp"

#include <algorithm>
#include <vector>

#include "experiments/analysis/run_parts.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::report {
namespace {

double median_of(std::span<const StoredRun> runs, auto value) {
    std::vector<double> values;
    for (const StoredRun& run : runs) values.push_back(value(run));
    return statistics::median(values);
}

/// Sum over workers and epochs.
double sum_of(const core::RunResult& result, auto value) {
    double sum = 0.0;
    for (const core::WorkerReport& worker : result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) {
            sum += static_cast<double>(value(epoch));
        }
    }
    return sum;
}

double worker_epochs(const core::RunResult& result) {
    return static_cast<double>(result.workers.size() * result.epochs.size());
}

double steps_of(const core::RunResult& result) {
    return static_cast<double>(result.steps_per_epoch * result.epochs.size());
}

/// Per step of a worker.
double per_step(std::span<const StoredRun> runs, auto value) {
    return median_of(runs, [&](const StoredRun& run) {
        return sum_of(run.result, value) / steps_of(run.result) /
               static_cast<double>(run.result.workers.size());
    });
}

std::optional<double> migrations(std::span<const StoredRun> runs) {
    for (const StoredRun& run : runs) {
        for (const core::WorkerReport& worker : run.result.workers) {
            for (const core::WorkerEpoch& epoch : worker.epochs) {
                if (!epoch.usage.migrations) return std::nullopt;
            }
        }
    }
    return median_of(runs, [](const StoredRun& run) {
        return sum_of(run.result,
                      [](const core::WorkerEpoch& epoch) { return *epoch.usage.migrations; }) /
               worker_epochs(run.result);
    });
}

double start_up(const core::RunResult& result) {
    double seconds = 0.0;
    for (const core::WorkerReport& worker : result.workers) {
        seconds = std::max(seconds, worker.setup_seconds);
    }
    return seconds;
}

std::optional<Memory> memory_of(const StoredRun& run) {
    const core::RunResult& result = run.result;
    if (!result.supervisor_memory) return std::nullopt;
    Memory memory;
    memory.total_bytes = static_cast<double>(result.supervisor_memory->pss_bytes);
    memory.private_bytes = static_cast<double>(result.supervisor_memory->private_bytes);
    for (const core::WorkerReport& worker : result.workers) {
        memory.parameters_bytes += static_cast<double>(worker.memory.parameters_bytes);
        memory.gradients_bytes += static_cast<double>(worker.memory.gradients_bytes);
        memory.optimizer_bytes += static_cast<double>(worker.memory.optimizer_bytes);
        memory.activations_bytes += static_cast<double>(worker.memory.activations_bytes);
        // Ranks of one process have no memory of their own to read: rank 0 has it all.
        if (!worker.process_memory) {
            if (worker.rank == 0 || worker.pid != result.workers.front().pid) return std::nullopt;
            continue;
        }
        ++memory.processes;
        memory.total_bytes += static_cast<double>(worker.process_memory->pss_bytes);
        memory.private_bytes += static_cast<double>(worker.process_memory->private_bytes);
    }
    memory.data_bytes = run.config.at("data_bytes").get<double>();
    return memory;
}

}  // namespace

Metrics find_metrics(std::span<const StoredRun> runs) {
    const auto totals = [&](auto value) {
        return median_of(runs, [&](const StoredRun& run) {
            return value(exchange_totals(run.result), run.result);
        });
    };
    const auto epochs = [](const core::RunResult& result) {
        return static_cast<double>(result.epochs.size());
    };
    Metrics metrics;
    metrics.exchange_calls_per_epoch = totals([&](const ExchangeTotals& sums, const auto& result) {
        return sums.calls / epochs(result);
    });
    metrics.sent_bytes_per_epoch = totals([&](const ExchangeTotals& sums, const auto& result) {
        return sums.sent_bytes / epochs(result);
    });
    metrics.exchange_seconds =
        totals([](const ExchangeTotals& sums, const auto&) { return sums.seconds(); });
    metrics.iteration_seconds = median_of(runs, [](const StoredRun& run) {
        return run.result.train_seconds() / steps_of(run.result);
    });
    const auto exchanged = [](const StoredRun& run) {
        return exchange_totals(run.result).seconds() > 0.0;
    };
    if (runs.front().result.workers.size() > 1 && std::ranges::all_of(runs, exchanged)) {
        metrics.compute_to_communication = totals([](const ExchangeTotals& sums, const auto&) {
            return sums.compute_seconds / sums.seconds();
        });
    }
    metrics.voluntary_switches_per_step = per_step(
        runs, [](const core::WorkerEpoch& epoch) { return epoch.usage.voluntary_switches; });
    metrics.involuntary_switches_per_step = per_step(
        runs, [](const core::WorkerEpoch& epoch) { return epoch.usage.involuntary_switches; });
    metrics.migrations_per_epoch = migrations(runs);
    metrics.cpu_share = median_of(runs, [](const StoredRun& run) {
        const double wall =
            sum_of(run.result, [](const core::WorkerEpoch& epoch) { return epoch.wall_seconds; });
        const double cpu = sum_of(
            run.result, [](const core::WorkerEpoch& epoch) { return epoch.usage.cpu_seconds; });
        return wall > 0.0 ? cpu / wall : 0.0;
    });
    metrics.start_up_seconds =
        median_of(runs, [](const StoredRun& run) { return start_up(run.result); });
    return metrics;
}

std::optional<Memory> find_memory(std::span<const StoredRun> runs) {
    std::vector<Memory> all;
    for (const StoredRun& run : runs) {
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

}  // namespace dp::experiments::report
