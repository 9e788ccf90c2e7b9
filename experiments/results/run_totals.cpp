#include "experiments/results/run_totals.hpp"

#include <algorithm>
#include <map>

namespace dp::experiments {
namespace {

using core::Phase;
using statistics::TimeParts;

/// The memory of each process of the workers, by its id; null where the kernel did not tell.
std::map<int, const core::ProcessMemory*> worker_processes(const core::RunResult& result) {
    std::map<int, const core::ProcessMemory*> by_pid;
    for (const core::WorkerReport& worker : result.workers) {
        const core::ProcessMemory*& memory = by_pid[worker.pid];
        if (worker.process_memory) memory = &*worker.process_memory;
    }
    return by_pid;
}

}  // namespace

double off_cpu_seconds(const core::WorkerEpoch& epoch, std::initializer_list<Phase> phases) {
    if (!epoch.phase_cpu_seconds) return 0.0;
    double sum = 0.0;
    for (const Phase phase : phases) {
        const auto at = static_cast<std::size_t>(phase);
        sum += std::max(0.0, epoch.phase_seconds[at] - (*epoch.phase_cpu_seconds)[at]);
    }
    return sum;
}

TimeParts time_parts(const core::WorkerEpoch& epoch) {
    const auto seconds = [&](Phase phase) {
        return epoch.phase_seconds[static_cast<std::size_t>(phase)];
    };
    // Two clocks: that of the phases and that of the exchange. Their difference may be a rounding
    // error below 0.
    const double wait = std::min(epoch.exchange.wait_seconds, seconds(Phase::kExchange));
    const double hidden = std::min(epoch.exchange.hidden_seconds, seconds(Phase::kBackward));
    TimeParts parts;
    parts.load = seconds(Phase::kLoad);
    parts.forward = seconds(Phase::kForward);
    parts.backward = seconds(Phase::kBackward) - hidden;
    parts.transfer_exposed = seconds(Phase::kExchange) - wait;
    parts.transfer_hidden = hidden;
    parts.wait = wait;
    parts.update = seconds(Phase::kUpdate);
    parts.publish = seconds(Phase::kPublish);
    parts.other = seconds(Phase::kOther);
    parts.off_cpu = off_cpu_seconds(epoch, {Phase::kForward, Phase::kBackward});
    // The waiting that a late rank causes may end in the transfer of what it hands over.
    parts.wait_for_off_cpu = std::min(epoch.wait_for_off_cpu_seconds.value_or(0.0), wait);
    return parts;
}

TimeParts time_parts(const core::RunResult& result) {
    TimeParts parts;
    if (result.epochs.empty() || result.workers.empty()) return parts;
    for (const core::WorkerReport& worker : result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) parts += time_parts(epoch);
        parts.start_up += worker.setup_seconds;
    }
    return parts *= 1.0 / static_cast<double>(result.workers.size());
}

std::optional<double> compute_to_communication(const core::RunResult& result) {
    const TimeParts parts = time_parts(result);
    if (result.workers.size() < 2 || parts.exchange() <= 0.0) return std::nullopt;
    return (parts.forward + parts.backward) / parts.exchange();
}

double images_per_epoch(const core::RunResult& result) {
    double images = 0.0;
    for (const core::EpochResult& epoch : result.epochs) {
        images += static_cast<double>(epoch.images);
    }
    return result.epochs.empty() ? 0.0 : images / static_cast<double>(result.epochs.size());
}

double steps_of(const core::RunResult& result) {
    return static_cast<double>(result.steps_per_epoch * result.epochs.size());
}

double per_step(const core::RunResult& result, std::int64_t core::ThreadUsage::*kind) {
    const auto value = [&](const core::WorkerEpoch& epoch) { return epoch.usage.*kind; };
    return sum_of(result, value) / steps_of(result) / static_cast<double>(result.workers.size());
}

double set_up_seconds(const core::RunResult& result) {
    double seconds = 0.0;
    for (const core::WorkerReport& worker : result.workers) {
        seconds = std::max(seconds, worker.setup_seconds);
    }
    return seconds;
}

std::optional<double> migrations_of(const core::RunResult& result) {
    bool known = true;
    const double sum = sum_of(result, [&](const core::WorkerEpoch& epoch) {
        known = known && epoch.usage.migrations;
        return epoch.usage.migrations.value_or(0);
    });
    return known ? std::optional(sum) : std::nullopt;
}

std::size_t processes_of(const core::RunResult& result) {
    return worker_processes(result).size() + 1;
}

std::optional<std::uint64_t> process_bytes(const core::RunResult& result,
                                           std::uint64_t core::ProcessMemory::*field) {
    if (!result.supervisor_memory) return std::nullopt;
    std::uint64_t total = *result.supervisor_memory.*field;
    for (const auto& [pid, memory] : worker_processes(result)) {
        if (memory == nullptr) return std::nullopt;
        total += memory->*field;
    }
    return total;
}

std::uint64_t allocated_bytes(const core::RunResult& result,
                              std::uint64_t core::WorkerMemory::*field) {
    std::uint64_t total = 0;
    for (const core::WorkerReport& worker : result.workers) total += worker.memory.*field;
    return total;
}

}  // namespace dp::experiments
