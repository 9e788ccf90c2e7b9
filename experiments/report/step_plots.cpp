#include "experiments/report/step_plots.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/text/csv.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

constexpr std::size_t kBins = 50;
/// What lies beyond this share of the steps has no bin: one long step would make all others one.
constexpr double kBinned = 0.99;

using Chosen = std::vector<const Configuration*>;

Chosen choose(std::span<const std::reference_wrapper<const Configuration>> configurations) {
    const auto fits = [](const Configuration& each) {
        return each.steps && !each.oversubscribed && !each.takes_turns;
    };
    Chosen chosen;
    for (const Configuration& each : configurations) {
        if (!fits(each)) continue;
        const bool is_largest =
            std::ranges::none_of(configurations, [&](const Configuration& other) {
                return fits(other) && other.design == each.design && other.workers > each.workers;
            });
        if (each.workers == 1 || is_largest) chosen.push_back(&each);
    }
    return chosen;
}

struct Bins {
    double low = 0.0;
    double width = 0.0;

    [[nodiscard]] double begin(std::size_t bin) const {
        return low + width * static_cast<double>(bin);
    }
    /// How many steps each bin holds; the last bin's end belongs to it.
    [[nodiscard]] std::vector<std::size_t> count(std::span<const double> seconds) const {
        std::vector<std::size_t> counts(kBins);
        for (const double value : seconds) {
            const double at = (value - low) / width;
            if (at > static_cast<double>(kBins)) continue;
            ++counts[std::min(static_cast<std::size_t>(at), kBins - 1)];
        }
        return counts;
    }
};

Bins bins_of(const Chosen& chosen) {
    double low = chosen.front()->steps->seconds.front();
    double high = low;
    for (const Configuration* each : chosen) {
        low = std::min(low, each->steps->seconds.front());
        high = std::max(high, statistics::quantile(each->steps->seconds, kBinned));
    }
    if (high <= low) high = low + 1e-6;
    return {low, (high - low) / static_cast<double>(kBins)};
}

std::optional<double> in_ms(const std::optional<statistics::Summary>& summary) {
    return summary ? std::optional(1e3 * summary->median) : std::nullopt;
}

/// "threads, N = 2: half of the steps take 51 ms or more, 5 % 54 ms or more".
std::string in_words(const Configuration& each) {
    std::string text = fmt::format("{}: half of the steps take {} or more", each.name(),
                                   seconds(each.steps->p50_seconds.median));
    if (!each.steps->p95_seconds) return text;
    return text + fmt::format(", 5 % {} or more", seconds(each.steps->p95_seconds->median));
}

/// By step, how long its slowest rank took.
std::map<std::size_t, double> traced_seconds(const TraceContents& trace) {
    std::map<std::size_t, double> steps;
    for (const TraceSlice& slice : trace.slices) {
        if (slice.category != "step") continue;
        double& longest = steps[slice.step];
        longest = std::max(longest, slice.end_seconds - slice.begin_seconds);
    }
    return steps;
}

/// Without a median the second one: the first may still wait for what came before it.
std::size_t choose_step(const std::map<std::size_t, double>& steps, std::optional<double> median) {
    if (steps.empty()) return 0;
    if (!median) return steps.size() > 1 ? std::next(steps.begin())->first : steps.begin()->first;
    return std::ranges::min_element(
               steps, {}, [&](const auto& step) { return std::abs(step.second - *median); })
        ->first;
}

}  // namespace

PlotData steps_histogram(
    std::span<const std::reference_wrapper<const Configuration>> configurations) {
    // Never a cell last that may be empty: gnuplot would read its column's title there.
    Csv csv({"mode", "workers", "place", "low_ms", "high_ms", "steps", "p50_ms", "p95_ms", "beyond",
             "longest_ms", "share_of_highest"});
    const Chosen chosen = choose(configurations);
    const Bins bins = chosen.empty() ? Bins{} : bins_of(chosen);
    for (std::size_t place = 0; place < chosen.size(); ++place) {
        const StepFigures& of = *chosen[place]->steps;
        const std::vector<std::size_t> counts = bins.count(of.seconds);
        std::size_t beyond = of.seconds.size();
        for (const std::size_t count : counts) beyond -= count;
        const auto highest = static_cast<double>(std::ranges::max(counts));
        for (std::size_t bin = 0; bin < kBins; ++bin) {
            if (bin > 0 && counts[bin] == 0) continue;
            csv.add(chosen[place]->design, chosen[place]->workers, place, 1e3 * bins.begin(bin),
                    1e3 * bins.begin(bin + 1), counts[bin], in_ms(of.p50_seconds),
                    in_ms(of.p95_seconds), beyond, 1e3 * of.maximum_seconds(),
                    highest > 0.0 ? static_cast<double>(counts[bin]) / highest : 0.0);
        }
    }
    std::vector<std::string> words;
    for (const Configuration* each : chosen) words.push_back(in_words(*each));
    return {"steps", "steps", csv.text(),
            "How long single steps took, without cold ones: for each design and N a histogram of "
            "the steps of all repetitions, each as high as its highest bar, with lines at p50 and "
            "p95. To the right stand the steps beyond the axis and the longest one.",
            "Histograms of step times: " + core::join(words, "; ")};
}

PlotData timeline(const Analysis& analysis, const std::string& design, const TraceContents& trace) {
    std::optional<double> median;
    for (const Configuration& each : analysis.configurations) {
        const bool traced = each.design == design && each.workers == trace.workers;
        if (traced && each.steps) median = each.steps->p50_seconds.median;
    }
    const auto steps = traced_seconds(trace);
    const std::size_t shown = choose_step(steps, median);
    Csv csv({"rank", "row", "category", "name", "begin_ms", "end_ms"});
    double begin = 0.0;
    bool first = true;
    for (const TraceSlice& slice : trace.slices) {
        if (slice.step != shown || slice.category == "step") continue;
        if (first) begin = slice.begin_seconds;
        first = false;
        csv.add(slice.rank, slice.row == TraceRow::kCompute ? "compute" : "exchange",
                slice.category, slice.name, (slice.begin_seconds - begin) * 1e3,
                (slice.end_seconds - begin) * 1e3);
    }
    const std::string how_long =
        median ? fmt::format(" This step takes {}, the median step of the untraced runs {}.",
                             seconds(steps.empty() ? 0.0 : steps.at(shown)), seconds(*median))
               : "";
    return {"timeline-" + in_file_name(design), "timeline", csv.text(),
            fmt::format("One step of {}, traced: for each rank what it computes (phases, and the "
                        "layers of forward and backward) and below what it exchanges, with the "
                        "number of the bucket of gradients. A short end is shown enlarged as "
                        "well.{}",
                        trace.run, how_long),
            fmt::format("Timeline of step {} of {}.{}", shown, trace.run, how_long)};
}

}  // namespace dp::experiments::report
