#include "experiments/analysis/straggler.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {
namespace {

using core::Lateness;
using core::Phase;

/// What one rank did over all repetitions.
struct Sums {
    core::PhaseSeconds phases{};
    double steps_last = 0.0;
    double lost_seconds = 0.0;
};

/// At one of the two meetings.
std::vector<Sums> sum_up(std::span<const Run> runs, Lateness core::WorkerEpoch::*meeting) {
    std::vector<Sums> ranks(runs.front().result.workers.size());
    for (const Run& run : runs) {
        for (const core::WorkerReport& worker : run.result.workers) {
            if (worker.rank >= ranks.size()) continue;
            Sums& sums = ranks[worker.rank];
            for (const core::WorkerEpoch& epoch : worker.epochs) {
                for (std::size_t i = 0; i < core::kPhases; ++i) {
                    sums.phases[i] += epoch.phase_seconds[i];
                }
                // What waits is not what holds others up.
                sums.phases[static_cast<std::size_t>(Phase::kExchange)] -=
                    epoch.exchange.wait_seconds;
                sums.steps_last += static_cast<double>((epoch.*meeting).steps);
                sums.lost_seconds += (epoch.*meeting).seconds;
            }
        }
    }
    return ranks;
}

double excess(const std::vector<Sums>& ranks, std::size_t rank, Phase phase) {
    const auto at = static_cast<std::size_t>(phase);
    std::vector<double> others;
    for (std::size_t other = 0; other < ranks.size(); ++other) {
        if (other != rank) others.push_back(ranks[other].phases[at]);
    }
    return ranks[rank].phases[at] - statistics::median(others);
}

constexpr auto kWork = {Phase::kLoad, Phase::kForward, Phase::kBackward, Phase::kExchange,
                        Phase::kUpdate};

std::optional<Straggler> find_at(std::span<const Run> runs, Lateness core::WorkerEpoch::*meeting) {
    double steps = 0.0;
    double train_seconds = 0.0;
    for (const Run& run : runs) {
        if (run.result.times_left_out) continue;  // nobody knows who was late
        steps += static_cast<double>(run.result.steps_per_epoch * run.result.epochs.size());
        train_seconds += run.result.train_seconds();
    }
    if (steps == 0.0 || train_seconds <= 0.0) return std::nullopt;

    const std::vector<Sums> ranks = sum_up(runs, meeting);
    const auto last = std::ranges::max_element(ranks, {}, &Sums::steps_last);
    double next = 0.0;
    for (const Sums& rank : ranks) {
        if (&rank != &*last) next = std::max(next, rank.lost_seconds);
    }
    const double lost = last->lost_seconds - next;
    Straggler straggler;
    straggler.rank = static_cast<std::size_t>(last - ranks.begin());
    straggler.steps_share = last->steps_last / steps;
    straggler.lost_share = lost / train_seconds;
    straggler.lost_seconds_per_step = lost / steps;
    if (straggler.steps_share <= kMostSteps || straggler.lost_share <= kMaterialShare) {
        return std::nullopt;
    }
    const Phase phase = *std::ranges::max_element(
        kWork, {}, [&](Phase each) { return excess(ranks, straggler.rank, each); });
    const double most = excess(ranks, straggler.rank, phase);
    if (most >= kExplains * lost) {
        straggler.phase = phase;
        straggler.excess_seconds_per_step = most / steps;
    }
    return straggler;
}

}  // namespace

std::optional<Straggler> find_straggler(std::span<const Run> runs) {
    if (runs.empty() || runs.front().result.workers.size() < 2) return std::nullopt;
    const auto at_exchange = find_at(runs, &core::WorkerEpoch::late_at_exchange);
    const auto at_publish = find_at(runs, &core::WorkerEpoch::late_at_publish);
    if (!at_exchange) return at_publish;
    if (!at_publish) return at_exchange;
    return at_exchange->lost_share >= at_publish->lost_share ? at_exchange : at_publish;
}

std::string describe(const Straggler& straggler, const std::string& mode, std::size_t workers) {
    std::string text = fmt::format(
        "{} with N = {}: rank {} holds the others up: it comes last in {:.0f} % of the steps, by "
        "{:.1f} ms a step more than the next rank does ({:.1f} % of training time)",
        mode, workers, straggler.rank, 100.0 * straggler.steps_share,
        1e3 * straggler.lost_seconds_per_step, 100.0 * straggler.lost_share);
    if (!straggler.phase) return text + "; no single phase of its own explains it.";
    return text + fmt::format("; the phase is {}, {:.1f} ms a step longer than on the others.",
                              core::name_of(*straggler.phase),
                              1e3 * straggler.excess_seconds_per_step);
}

std::string describe_clocks(const core::RunResult& result) {
    double most = -1.0;
    for (const core::WorkerReport& worker : result.workers) {
        if (worker.clock) most = std::max(most, worker.clock->error_seconds);
    }
    if (most < 0.0) return "";
    const auto steps = static_cast<double>(result.steps_per_epoch * result.epochs.size());
    const std::string known = fmt::format("known only to within {:.3g} ms", 1e3 * most);
    if (!result.times_left_out) return "the clocks of its machines were aligned, and are " + known;
    if (steps == 0.0) return "the run has no steps to align the clocks of its machines by";
    return fmt::format("the clocks of its machines are {} only, too little for steps of {:.3g} ms",
                       known, 1e3 * result.train_seconds() / steps);
}

std::string straggler_rule() {
    return fmt::format(
        "A rank is named when it comes last in more than {:.0f} % of the steps and the gaps that "
        "it leaves cost more than {:.0f} % of training time beyond those of any other rank; its "
        "phase, when that explains at least half of this.",
        100.0 * kMostSteps, 100.0 * kMaterialShare);
}

}  // namespace dp::experiments::analysis
