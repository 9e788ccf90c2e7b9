#include "experiments/analysis/run_parts.hpp"

#include <algorithm>
#include <vector>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::report {
namespace {

using core::Phase;
using statistics::TimeParts;

constexpr auto kParts = {&TimeParts::load,
                         &TimeParts::forward,
                         &TimeParts::backward,
                         &TimeParts::transfer_exposed,
                         &TimeParts::transfer_hidden,
                         &TimeParts::wait,
                         &TimeParts::update,
                         &TimeParts::publish,
                         &TimeParts::other,
                         &TimeParts::start_up};

void scale(TimeParts& parts, double factor) {
    for (const auto part : kParts) parts.*part *= factor;
}

void add(TimeParts& parts, const core::WorkerEpoch& epoch) {
    const auto seconds = [&](Phase phase) {
        return epoch.phase_seconds[static_cast<std::size_t>(phase)];
    };
    // Two clocks: that of the phases and that of the exchange. Their difference may be a rounding
    // error below 0.
    const double wait = std::min(epoch.exchange.wait_seconds, seconds(Phase::kExchange));
    const double hidden = std::min(epoch.exchange.hidden_seconds, seconds(Phase::kBackward));
    parts.load += seconds(Phase::kLoad);
    parts.forward += seconds(Phase::kForward);
    parts.backward += seconds(Phase::kBackward) - hidden;
    parts.transfer_exposed += seconds(Phase::kExchange) - wait;
    parts.transfer_hidden += hidden;
    parts.wait += wait;
    parts.update += seconds(Phase::kUpdate);
    parts.publish += seconds(Phase::kPublish);
    parts.other += seconds(Phase::kOther);
}

}  // namespace

TimeParts epoch_parts(const core::RunResult& result) {
    TimeParts parts;
    if (result.epochs.empty() || result.workers.empty()) return parts;
    for (const core::WorkerReport& worker : result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) add(parts, epoch);
        parts.start_up += worker.setup_seconds;
    }
    scale(parts, 1.0 / static_cast<double>(result.workers.size() * result.epochs.size()));
    return parts;
}

TimeParts typical_epoch(std::span<const StoredRun> runs) {
    TimeParts sum;
    std::vector<double> totals;
    for (const StoredRun& run : runs) {
        const TimeParts parts = epoch_parts(run.result);
        for (const auto part : kParts) sum.*part += parts.*part;
        totals.push_back(parts.total());
    }
    if (sum.total() > 0.0) scale(sum, statistics::median(totals) / sum.total());
    return sum;
}

double images_per_epoch(const core::RunResult& result) {
    if (result.epochs.empty()) return 0.0;
    double images = 0.0;
    for (const core::EpochResult& epoch : result.epochs) {
        images += static_cast<double>(epoch.images);
    }
    return images / static_cast<double>(result.epochs.size());
}

ExchangeTotals exchange_totals(const core::RunResult& result) {
    ExchangeTotals totals;
    if (result.epochs.empty() || result.workers.empty()) return totals;
    for (const core::WorkerReport& worker : result.workers) {
        for (const core::WorkerEpoch& epoch : worker.epochs) {
            totals.sent_bytes += static_cast<double>(epoch.exchange.sent_bytes);
        }
    }
    for (const core::WorkerEpoch& epoch : result.workers.front().epochs) {
        totals.calls += static_cast<double>(epoch.exchange.calls);
    }
    TimeParts parts = epoch_parts(result);
    scale(parts, static_cast<double>(result.epochs.size()));
    totals.wait_seconds = parts.wait;
    totals.exposed_seconds = parts.transfer_exposed;
    totals.hidden_seconds = parts.transfer_hidden;
    totals.publish_seconds = parts.publish;
    totals.compute_seconds = parts.forward + parts.backward;
    return totals;
}

}  // namespace dp::experiments::report
