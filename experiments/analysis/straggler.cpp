#include "experiments/analysis/straggler.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "experiments/statistics/multiple_tests.hpp"
#include "experiments/statistics/pairs.hpp"
#include "experiments/statistics/summary.hpp"

namespace dp::experiments::analysis {
namespace {

using core::EpochSteps;
using core::Phase;
using core::StepPart;
using Series = std::vector<double>;  // seconds, by step

constexpr std::array kMeetings{StepPart::kLateAtExchange, StepPart::kLateAtPublish};

/// `value` of each step of the run that is not cold, from all workers' epoch and the step's number.
Series series_of(const Run& run, const auto& value) {
    Series all;
    const std::vector<core::WorkerReport>& workers = run.result.workers;
    for (std::size_t epoch = 0; epoch < workers.front().steps.size(); ++epoch) {
        std::vector<const EpochSteps*> ranks;
        for (const core::WorkerReport& worker : workers) ranks.push_back(&worker.steps[epoch]);
        for (std::size_t step = 0; step < ranks.front()->size(); ++step) {
            all.push_back(value(ranks, step));
        }
    }
    const std::size_t cold = std::min(run.result.cold_steps, all.size());
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cold));
    return all;
}

double seconds_of(const EpochSteps& steps, StepPart part, std::size_t step) {
    return 1e-6 * steps[part][step];
}

bool has(std::span<const Run> runs, StepPart part) {
    return std::ranges::all_of(runs, [part](const Run& run) {
        return std::ranges::all_of(run.result.workers, [&](const core::WorkerReport& worker) {
            return !worker.steps.empty() &&
                   std::ranges::all_of(worker.steps, [&](const EpochSteps& epoch) {
                       return epoch[part].size() == epoch.size();
                   });
        });
    });
}

/// By how much rank `rank` comes after the last of the others.
Series gaps_of(const Run& run, StepPart meeting, std::size_t rank) {
    return series_of(run, [&](const auto& ranks, std::size_t step) {
        double others = 0.0;
        for (std::size_t other = 0; other < ranks.size(); ++other) {
            if (other != rank) others = std::max(others, seconds_of(*ranks[other], meeting, step));
        }
        return seconds_of(*ranks[rank], meeting, step) - others;
    });
}

/// The rank that comes last most often.
std::size_t find_last(std::span<const Run> runs, StepPart meeting) {
    std::vector<std::size_t> last(runs.front().result.workers.size());
    for (const Run& run : runs) {
        series_of(run, [&](const auto& ranks, std::size_t step) {
            const auto late = [&](const EpochSteps* rank) { return (*rank)[meeting][step]; };
            const auto place = std::ranges::max_element(ranks, {}, late) - ranks.begin();
            ++last[static_cast<std::size_t>(place)];
            return 0.0;
        });
    }
    return static_cast<std::size_t>(std::ranges::max_element(last) - last.begin());
}

/// What a rank does in a phase itself: what waits is not what holds others up, and what overlaps
/// backward is the exchange's.
double own_seconds(const EpochSteps& steps, Phase phase, std::size_t step) {
    const auto of = [&](StepPart part) { return seconds_of(steps, part, step); };
    switch (phase) {
        case Phase::kLoad:
            return of(StepPart::kLoad);
        case Phase::kForward:
            return of(StepPart::kForward);
        case Phase::kBackward:
            return of(StepPart::kBackward) - of(StepPart::kHidden);
        case Phase::kExchange:
            return of(StepPart::kExchange) - of(StepPart::kWait) + of(StepPart::kHidden);
        case Phase::kUpdate:
            return of(StepPart::kUpdate);
        default:
            return of(StepPart::kOther);
    }
}

/// By how much `phase` takes longer on `rank` than on the others.
Series excess_of(const Run& run, Phase phase, std::size_t rank) {
    return series_of(run, [&](const auto& ranks, std::size_t step) {
        Series others;
        for (std::size_t other = 0; other < ranks.size(); ++other) {
            if (other != rank) others.push_back(own_seconds(*ranks[other], phase, step));
        }
        return own_seconds(*ranks[rank], phase, step) - statistics::median(others);
    });
}

/// Between the meeting before and this one. Who comes late to the exchange where ranks meet at
/// publish too has been late with nothing before that.
std::vector<Phase> phases_owed(StepPart meeting, bool meets_at_publish) {
    if (meeting == StepPart::kLateAtPublish) return {Phase::kExchange, Phase::kUpdate};
    std::vector<Phase> phases{Phase::kOther, Phase::kLoad, Phase::kForward, Phase::kBackward};
    if (!meets_at_publish) phases.insert(phases.end(), {Phase::kExchange, Phase::kUpdate});
    return phases;
}

/// What is tested: the median of each repetition or, of few, those of stretches of its steps.
Series medians_of(std::span<const Run> runs, const auto& series) {
    Series medians;
    for (const Run& run : runs) {
        const Series all = series(run);
        std::size_t parts = 1;
        if (runs.size() < statistics::kFewestPairs) {
            parts = std::clamp(all.size() / kStretchSteps, std::size_t{1}, kMostStretches);
        }
        for (std::size_t i = 0; i < parts && !all.empty(); ++i) {
            const std::size_t begin = i * all.size() / parts;
            const std::size_t end = (i + 1) * all.size() / parts;
            medians.push_back(statistics::median(std::span(all).subspan(begin, end - begin)));
        }
    }
    return medians;
}

/// One-sided, of the mean being above 0; adjusted for as many tests as were possible (Bonferroni).
double p_above(std::span<const double> medians, std::size_t tests) {
    const statistics::PairedTest test = statistics::paired_test(medians);
    if (test.mean <= 0.0) return 1.0;
    return std::min(1.0, test.p_value / 2.0 * static_cast<double>(tests));
}

void find_phase(std::span<const Run> runs, StepPart meeting, bool meets_at_publish,
                Straggler& straggler) {
    const std::vector<Phase> phases = phases_owed(meeting, meets_at_publish);
    for (const Phase phase : phases) {
        const Series medians =
            medians_of(runs, [&](const Run& run) { return excess_of(run, phase, straggler.rank); });
        const double excess = statistics::median(medians);
        if (excess <= straggler.excess_seconds_per_step ||
            excess < kExplains * straggler.lost_seconds_per_step ||
            p_above(medians, phases.size()) >= statistics::kLevel) {
            continue;
        }
        straggler.phase = phase;
        straggler.excess_seconds_per_step = excess;
    }
}

double share_above_0(std::span<const Run> runs, const auto& series) {
    std::size_t above = 0;
    std::size_t all = 0;
    for (const Run& run : runs) {
        const Series values = series(run);
        all += values.size();
        above += static_cast<std::size_t>(
            std::ranges::count_if(values, [](double value) { return value > 0.0; }));
    }
    return static_cast<double>(above) / static_cast<double>(all);
}

double median_step(std::span<const Run> runs) {
    return statistics::median(medians_of(runs, [](const Run& run) {
        return series_of(run, [](const auto& ranks, std::size_t step) {
            std::uint64_t longest = 0;
            for (const EpochSteps* rank : ranks) longest = std::max(longest, rank->whole(step));
            return 1e-6 * static_cast<double>(longest);
        });
    }));
}

std::optional<Straggler> find_at(std::span<const Run> runs, StepPart meeting,
                                 bool meets_at_publish) {
    Straggler straggler;
    straggler.rank = find_last(runs, meeting);
    const auto gaps = [&](const Run& run) { return gaps_of(run, meeting, straggler.rank); };
    const Series medians = medians_of(runs, gaps);
    const std::size_t ranks = runs.front().result.workers.size();
    straggler.samples = medians.size();
    straggler.steps_share = share_above_0(runs, gaps);
    straggler.lost_seconds_per_step = statistics::median(medians);
    straggler.lost_share = straggler.lost_seconds_per_step / median_step(runs);
    straggler.p_value = p_above(medians, ranks * (meets_at_publish ? 2 : 1));
    if (straggler.lost_share <= kMaterialShare || straggler.p_value >= statistics::kLevel) {
        return std::nullopt;
    }
    find_phase(runs, meeting, meets_at_publish, straggler);
    return straggler;
}

std::string why_not(std::span<const Run> runs) {
    const auto any = [&](const auto& is) { return std::ranges::any_of(runs, is); };
    if (any([](const Run& run) { return run.settings.oversubscribed; })) {
        return "more workers than CPUs";
    }
    for (const Run& run : runs) {
        if (run.result.times_left_out) return describe_clocks(run.result);
    }
    const std::size_t ranks = runs.front().result.workers.size();
    if (any([&](const Run& run) { return run.result.workers.size() != ranks; }) ||
        !has(runs, StepPart::kLateAtExchange)) {
        return "the times of its steps were not kept";
    }
    const auto steps =
        medians_of(runs, [](const Run& run) { return gaps_of(run, kMeetings[0], 0); });
    return steps.size() < statistics::kFewestPairs ? "too few steps" : "";
}

}  // namespace

StragglerVerdict find_straggler(std::span<const Run> runs) {
    StragglerVerdict verdict;
    if (runs.empty() || runs.front().result.workers.size() < 2) return verdict;
    verdict.not_judged = why_not(runs);
    if (!verdict.not_judged.empty()) return verdict;
    const bool meets_at_publish = has(runs, StepPart::kLateAtPublish);
    for (const StepPart meeting : kMeetings) {
        if (meeting == StepPart::kLateAtPublish && !meets_at_publish) continue;
        const auto found = find_at(runs, meeting, meets_at_publish);
        if (found && (!verdict.named || found->lost_share > verdict.named->lost_share)) {
            verdict.named = found;
        }
    }
    return verdict;
}

std::string describe(const Straggler& straggler, const std::string& mode, std::size_t workers) {
    std::string text = fmt::format(
        "{} with N = {}: rank {} holds the others up: in the median step it comes {:.1f} ms after "
        "all others ({:.1f} % of the step), and it is last in {:.0f} % of the steps (p = {:.2g})",
        mode, workers, straggler.rank, 1e3 * straggler.lost_seconds_per_step,
        100.0 * straggler.lost_share, 100.0 * straggler.steps_share, straggler.p_value);
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
        "A rank is named when it comes last in the median step of the repetitions, by more than "
        "{:.0f} % of a step, and chance does that to any rank in less than {:.0f} % of such sets "
        "of runs "
        "(Student's test over the repetitions' medians or, of fewer than {}, over those of "
        "stretches of {} steps and more; p is for all ranks and meetings). A phase is named when "
        "it lies between that meeting and the one before, and the same test shows it to be longer "
        "than on the others by at least {:.0f} % of the delay. Cold steps do not count.",
        100.0 * kMaterialShare, 100.0 * statistics::kLevel, statistics::kFewestPairs, kStretchSteps,
        100.0 * kExplains);
}

}  // namespace dp::experiments::analysis
