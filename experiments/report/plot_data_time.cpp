// Plots of where the time goes: seconds, steps, one step, what is lost.
#include <algorithm>

#include "experiments/modes.hpp"
#include "experiments/report/plot_parts.hpp"
#include "experiments/text/csv.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

/// Seconds of training on the images of all epochs, the same images whatever N.
struct Split {
    double computing = 0.0;
    double communication = 0.0;
    [[nodiscard]] double total() const { return computing + communication; }
};

std::size_t epochs_of(const Analysis& analysis) {
    return analysis.configurations.front().runs.front().result.epochs.size();
}

/// None without training.
std::optional<Split> split_of(const Analysis& analysis, const Configuration& each) {
    const double of_parts = each.parts.total() - each.parts.start_up;
    if (!each.work_seconds || of_parts <= 0.0) return std::nullopt;
    const double total = each.work_seconds->median * static_cast<double>(epochs_of(analysis));
    const double communication = total * each.parts.exchange() / of_parts;
    return Split{total - communication, communication};
}

std::string split_in_words(const Analysis& analysis, const std::string& what) {
    return in_words(analysis, what, [&](const Configuration& each) {
        const auto split = split_of(analysis, each);
        return !split ? std::string()
                      : fmt::format("{} computing and {} communication", seconds(split->computing),
                                    seconds(split->communication));
    });
}

}  // namespace

PlotData breakdown(const Analysis& analysis) {
    Csv csv({"mode", "workers", "oversubscribed", "load_ms", "forward_ms", "backward_ms",
             "update_ms", "other_ms", "transfer_exposed_ms", "transfer_hidden_ms", "wait_ms",
             "publish_ms"});
    for (const Configuration& each : drawn(analysis)) {
        if (!each.images_per_second || each.steps_per_epoch == 0) continue;
        const double ms = 1e3 / static_cast<double>(each.steps_per_epoch);
        const statistics::TimeParts& parts = each.parts;
        csv.add(each.design, each.workers, each.oversubscribed, parts.load * ms, parts.forward * ms,
                parts.backward * ms, parts.update * ms, parts.other * ms,
                parts.transfer_exposed * ms, parts.transfer_hidden * ms, parts.wait * ms,
                parts.publish * ms);
    }
    return {"breakdown", "breakdown", csv.text(),
            "Where a training step's time goes, mean over the workers: on the left all of it, on "
            "the right the exchange alone on a scale of its own. A step takes N times the images "
            "of one worker's unless the batch is split.",
            in_words(analysis, "Time of a step", [](const Configuration& each) {
                if (each.steps_per_epoch == 0) return std::string();
                const double steps = static_cast<double>(each.steps_per_epoch);
                return fmt::format("{}, of it {} exchange",
                                   seconds((each.parts.total() - each.parts.start_up) / steps),
                                   seconds(each.parts.exchange() / steps));
            })};
}

PlotData training_seconds(const Analysis& analysis) {
    Csv csv({"mode", "workers", "oversubscribed", "computing_seconds", "communication_seconds"});
    for (const Configuration& each : drawn(analysis)) {
        const auto split = split_of(analysis, each);
        if (!split) continue;
        csv.add(each.design, each.workers, each.oversubscribed, split->computing,
                split->communication);
    }
    return {"seconds", "seconds", csv.text(),
            fmt::format("Seconds of training on {} images in {} epoch{}, the same images whatever "
                        "N: computing (with loading and updating) and communication (exchange and "
                        "waiting).",
                        count(analysis.work_images * static_cast<double>(epochs_of(analysis))),
                        epochs_of(analysis), epochs_of(analysis) == 1 ? "" : "s"),
            split_in_words(analysis, "Seconds of training")};
}

PlotData metrics(const Analysis& analysis) {
    Csv csv({"mode", "workers", "total_seconds", "images_per_second", "computing_seconds",
             "communication_seconds", "iteration_ms", "exchange_share_percent", "cpu_share_percent",
             "start_up_seconds"});
    for (const Configuration& each : drawn(analysis)) {
        if (!each.metrics || each.takes_turns) continue;
        if (each.workers != 1 && &each != analysis.largest(each.design)) continue;
        const Metrics& of = *each.metrics;
        const double steps =
            static_cast<double>(each.steps_per_epoch * each.runs.front().result.epochs.size());
        const double exchange_ms = of.exchange_seconds.median / steps * 1e3;
        const double iteration_ms = of.iteration_seconds.median * 1e3;
        const auto split = split_of(analysis, each);
        if (!split) continue;
        csv.add(each.design, each.workers, split->total(), each.images_per_second->median,
                split->computing, split->communication, iteration_ms,
                exchange_ms / iteration_ms * 100.0, of.cpu_share.median * 100.0,
                of.start_up_seconds.median);
    }
    return {"metrics", "metrics", csv.text(),
            "Metrics of one worker and of the most that are not oversubscribed, side by side; "
            "seconds of training are on the same images whatever N.",
            in_words(analysis, "Metrics of one worker and of more", [](const Configuration& each) {
                return fmt::format("{} images/s, start-up {}",
                                   count(each.images_per_second->median),
                                   seconds(each.metrics->start_up_seconds.median));
            })};
}

PlotData waterfall(const Analysis& analysis) {
    Csv csv({"mode", "workers", "place", "part", "kind", "low_seconds", "high_seconds",
             "from_seconds", "to_seconds"});
    std::vector<std::string> told;
    for (const ModeWaterfall& each : analysis.waterfalls) {
        if (!is_drawn(analysis, each.design)) continue;
        const statistics::Waterfall& of = each.waterfall;
        std::size_t place = 0;
        const auto add = [&](std::string_view part, const char* kind, double from, double to,
                             const std::optional<statistics::Summary>& adds = {}) {
            csv.add(each.design, of.workers, place++, part, kind, adds ? low(*adds) : std::nullopt,
                    adds ? high(*adds) : std::nullopt, from, to);
        };
        add("ideal", "total", 0.0, of.ideal_seconds);
        double at = of.ideal_seconds;
        for (const statistics::WaterfallPart& part : of.parts) {
            add(statistics::row_of(part.cause).name, part.seconds >= 0.0 ? "loss" : "gain", at,
                at + part.seconds, part.repetitions);
            at += part.seconds;
        }
        add("measured", "total", 0.0, of.measured_seconds);
        told.push_back(fmt::format("{}, N = {}: {} ideal, {} measured", each.design, of.workers,
                                   seconds(of.ideal_seconds), seconds(of.measured_seconds)));
    }
    std::string repetitions;
    for (const Configuration& each : analysis.configurations) {
        if (repetitions.empty()) repetitions = interval_name(each.runs.size());
    }
    return {
        "waterfall", "waterfall", csv.text(),
        fmt::format("From the ideal time, T(1) / N, to the measured one: what each cause adds or "
                    "saves, as seconds beyond the ideal.{}",
                    repetitions.empty()
                        ? ""
                        : fmt::format(" Lines hold the {} of the repetitions.", repetitions)),
        fmt::format("Waterfall from ideal to measured time: {}", core::join(told, "; "))};
}

}  // namespace dp::experiments::report
