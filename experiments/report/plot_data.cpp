#include "experiments/report/plot_data.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/text/csv.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

// More lines or bars than that hide each other; tables have them all.
constexpr std::size_t kMostDesigns = 8;

/// All are, or of many designs the first of each mode.
bool is_drawn(const Analysis& analysis, const std::string& design) {
    return analysis.designs.size() <= kMostDesigns || analysis.leads(design);
}

std::vector<std::reference_wrapper<const Configuration>> drawn(const Analysis& analysis) {
    std::vector<std::reference_wrapper<const Configuration>> chosen;
    for (const Configuration& each : analysis.configurations) {
        if (is_drawn(analysis, each.design)) chosen.emplace_back(each);
    }
    return chosen;
}

using statistics::Summary;

std::optional<double> low(const Summary& summary) {
    return summary.interval ? std::optional(summary.interval->low) : std::nullopt;
}

std::optional<double> high(const Summary& summary) {
    return summary.interval ? std::optional(summary.interval->high) : std::nullopt;
}

/// What the bars of medians are, as a sentence.
std::string bars_note(const Analysis& analysis) {
    std::size_t most = 0;
    for (const Configuration& each : drawn(analysis)) {
        most = std::max(most, each.runs.size());
    }
    const std::string name = interval_name(most);
    if (name.empty()) return "";
    return fmt::format(" Small points are single runs, large ones their medians, bars the {}.",
                       name);
}

/// "threads 1.85 at N = 2, procs 1.83 at N = 2", of the largest N that is not oversubscribed.
std::string speedups_in_words(const Analysis& analysis) {
    std::vector<std::string> speedups;
    for (const std::string& mode : analysis.designs) {
        const Configuration* each = analysis.largest(mode);
        if (each == nullptr) continue;
        speedups.push_back(fmt::format("{} {:.2f} with N = {}", mode, each->scaling->speedup.median,
                                       each->workers));
    }
    return speedups.empty() ? "no N above 1 that is not oversubscribed" : core::join(speedups);
}

const char* const kHollow = " Hollow points and the grey area: more workers than CPUs.";

bool any_oversubscribed(const Analysis& analysis) {
    return std::ranges::any_of(analysis.configurations, &Configuration::oversubscribed);
}

PlotData speedup(const Analysis& analysis) {
    // Medians are repetition 0. Never a cell last that may be empty: gnuplot would read its
    // column's title there.
    Csv csv({"mode", "workers", "oversubscribed", "repetition", "time_seconds", "images_per_second",
             "speedup_low", "speedup_high", "efficiency_low", "efficiency_high", "efficiency",
             "speedup"});
    for (const Configuration& each : drawn(analysis)) {
        if (!each.scaling) continue;
        const statistics::Scaling& of = *each.scaling;
        csv.add(each.design, each.workers, each.oversubscribed, std::size_t{0},
                each.work_seconds->median, each.images_per_second->median, low(of.speedup),
                high(of.speedup), low(of.efficiency), high(of.efficiency), of.efficiency.median,
                of.speedup.median);
    }
    const std::optional<double> none;
    for (const Configuration& each : drawn(analysis)) {
        if (!each.scaling || each.runs.size() < 2) continue;
        for (const auto& [run, value] : each.speedups) {
            const double rate = run->result.images_per_second();
            csv.add(each.design, each.workers, each.oversubscribed, run->repetition,
                    analysis.work_images / rate, rate, none, none, none, none,
                    value / static_cast<double>(each.workers), value);
        }
    }
    return {"speedup", "speedup", csv.text(),
            fmt::format("Speedup against workers, with the ideal (dashed) and what is lost of it "
                        "(shaded, of each mode).{} Time: training on {} images.{}",
                        bars_note(analysis), count(analysis.work_images),
                        any_oversubscribed(analysis) ? kHollow : ""),
            "Speedup against workers: " + speedups_in_words(analysis)};
}

PlotData efficiency(const Analysis& analysis) {
    return {"efficiency", "efficiency", speedup(analysis).csv,
            fmt::format("Efficiency (speedup / N) against workers.{}{}", bars_note(analysis),
                        any_oversubscribed(analysis) ? kHollow : ""),
            "Efficiency against workers; speedups: " + speedups_in_words(analysis)};
}

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
            "Where a training step's time goes, mean over the workers: above all of it, below the "
            "exchange alone on a scale of its own. Grey: more workers than CPUs.",
            "Stacked bars of the phases of a step, for each mode and N"};
}

PlotData metrics(const Analysis& analysis) {
    Csv csv({"mode", "workers", "images_per_second", "iteration_ms", "exchange_ms",
             "exchange_share_percent", "cpu_share_percent", "start_up_seconds"});
    for (const Configuration& each : drawn(analysis)) {
        if (!each.metrics || each.takes_turns) continue;
        if (each.workers != 1 && &each != analysis.largest(each.design)) continue;
        const Metrics& of = *each.metrics;
        const double steps =
            static_cast<double>(each.steps_per_epoch * each.runs.front().result.epochs.size());
        const double exchange_ms = of.exchange_seconds.median / steps * 1e3;
        const double iteration_ms = of.iteration_seconds.median * 1e3;
        csv.add(each.design, each.workers, each.images_per_second->median, iteration_ms,
                exchange_ms, exchange_ms / iteration_ms * 100.0, of.cpu_share.median * 100.0,
                of.start_up_seconds.median);
    }
    return {"metrics", "metrics", csv.text(),
            "Metrics of one worker and of the most that are not oversubscribed, side by side.",
            "Grouped bars of the metrics' table"};
}

PlotData timeline(const std::string& mode, const TraceContents& trace) {
    Csv csv({"rank", "row", "category", "name", "begin_ms", "end_ms"});
    // The second of the traced steps: the first may still wait for what came before it.
    std::set<std::size_t> steps;
    for (const TraceSlice& slice : trace.slices) steps.insert(slice.step);
    std::size_t shown = steps.empty() ? 0 : *steps.begin();
    if (steps.size() > 1) shown = *std::next(steps.begin());
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
    return {"timeline-" + in_file_name(mode), "timeline", csv.text(),
            fmt::format("One step of {}, traced: for each rank what it computes (phases, and the "
                        "layers of forward and backward) and below what it exchanges.",
                        trace.run),
            fmt::format("Timeline of step {} of {}", shown, trace.run)};
}

PlotData learning(const Analysis& analysis) {
    Csv csv({"mode", "workers", "oversubscribed", "epoch", "seconds", "train_loss", "test_loss",
             "test_accuracy_percent"});
    for (const Configuration& each : drawn(analysis)) {
        if (!each.images_per_second) continue;
        double seconds = 0.0;
        std::size_t epoch = 0;
        for (const core::EpochResult& of : each.runs.front().result.epochs) {
            seconds += of.train_seconds;
            csv.add(each.design, each.workers, each.oversubscribed, ++epoch, seconds, of.train_loss,
                    of.test_loss, 100.0 * of.test_accuracy);
        }
    }
    return {"learning", "learning", csv.text(),
            "Training loss and test accuracy against epochs and against seconds of training, of "
            "the first repetition.",
            "Learning curves for each mode and N"};
}

PlotData allreduce_times(const Analysis& analysis) {
    Csv csv({"mode", "reduction", "workers", "oversubscribed", "bytes", "time_us", "time_low_us",
             "time_high_us", "busbw_gb_per_s"});
    // The largest N that is not oversubscribed, or the smallest that is.
    std::optional<std::size_t> workers;
    for (const allreduce::Row& row : analysis.allreduce) {
        if (!row.oversubscribed) workers = std::max(workers.value_or(0), row.workers);
    }
    for (const allreduce::Row& row : analysis.allreduce) {
        if (!workers) workers = row.workers;
        if (row.wrong != 0 || row.workers != *workers) continue;
        csv.add(row.mode, row.reduction, row.workers, row.oversubscribed, row.bytes,
                row.time_us.median, low(row.time_us), high(row.time_us), row.busbw());
    }
    return {"allreduce", "allreduce", csv.text(),
            fmt::format("All-reduce alone, N = {}: median time and bus bandwidth against the size "
                        "of the gradients; bars hold the true median with 95 %, were its rounds "
                        "independent.",
                        workers.value_or(0)),
            "All-reduce time and bus bandwidth against size for each reduction"};
}

PlotData memory(const Analysis& analysis) {
    Csv csv({"mode", "workers", "oversubscribed", "total_mb", "parameters_mb", "gradients_mb",
             "optimizer_mb", "activations_mb", "data_mb", "rest_mb"});
    for (const Configuration& each : drawn(analysis)) {
        if (!each.memory || !each.memory->rest_bytes) continue;
        const Memory& of = *each.memory;
        csv.add(each.design, each.workers, each.oversubscribed, of.total_bytes.median / 1e6,
                of.parameters_bytes / 1e6, of.gradients_bytes / 1e6, of.optimizer_bytes / 1e6,
                of.activations_bytes / 1e6, of.data_bytes / 1e6, *of.rest_bytes / 1e6);
    }
    return {"memory", "memory", csv.text(),
            "Physical memory of all processes of a run, and what it holds; *: more workers than "
            "CPUs.",
            "Stacked bars of memory for each mode and N"};
}

PlotData waterfall(const Analysis& analysis) {
    Csv csv({"mode", "workers", "place", "part", "kind", "from_seconds", "to_seconds"});
    for (const ModeWaterfall& each : analysis.waterfalls) {
        if (!is_drawn(analysis, each.design)) continue;
        const statistics::Waterfall& of = each.waterfall;
        std::size_t place = 0;
        const auto add = [&](std::string_view part, const char* kind, double from, double to) {
            csv.add(each.design, of.workers, place++, part, kind, from, to);
        };
        add("ideal", "total", 0.0, of.ideal_seconds);
        double at = of.ideal_seconds;
        for (const statistics::WaterfallPart& part : of.parts) {
            add(statistics::row_of(part.cause).name, part.seconds >= 0.0 ? "loss" : "gain", at,
                at + part.seconds);
            at += part.seconds;
        }
        add("measured", "total", 0.0, of.measured_seconds);
    }
    return {
        "waterfall", "waterfall", csv.text(),
        "From the ideal time, T(1) / N, to the measured one: what each cause adds or saves. The "
        "axis starts shortly before the ideal, not at 0.",
        "Waterfall from ideal to measured time for each mode"};
}

/// The colour of a mode's design number `place`: its own, then darker and lighter ones in turn.
std::uint32_t shade(std::uint32_t color, std::size_t place) {
    const double towards = place % 2 == 1 ? 0.0 : 255.0;
    const double share = std::min(0.8, 0.22 * static_cast<double>((place + 1) / 2));
    std::uint32_t shaded = 0;
    for (const unsigned shift : {16U, 8U, 0U}) {
        const double part = static_cast<double>((color >> shift) & 0xFFU);
        shaded |= static_cast<std::uint32_t>(part + share * (towards - part)) << shift;
    }
    return shaded;
}

/// The point of a mode's design number `place`: its own, then the others of gnuplot's solid ones, 5
/// to 15, in turn.
std::size_t point_of(const Mode& mode, std::size_t place) {
    const auto own = static_cast<std::size_t>(mode.mark);
    return place == 0 ? own : 5 + (own + 2 * place - 5) % 12;
}

bool has_rows(const PlotData& plot) { return std::ranges::count(plot.csv, '\n') > 1; }

}  // namespace

std::string modes_csv() {
    Csv csv({"mode", "color", "mark"});
    for (const Mode& mode : modes()) {
        core::RunConfig config;
        config.mode = mode.name;
        config.workers = 2;  // of one worker, some designs are the same
        std::size_t place = 0;
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            config.reduction = reduction.name;
            csv.add(design_of(config), shade(mode.color, place), point_of(mode, place));
            ++place;
        }
    }
    return csv.text();
}

std::vector<PlotData> plot_data(const Analysis& analysis) {
    std::vector<PlotData> plots{
        speedup(analysis), efficiency(analysis), breakdown(analysis),       waterfall(analysis),
        metrics(analysis), learning(analysis),   allreduce_times(analysis), memory(analysis)};
    for (const auto& [mode, trace] : analysis.traces) plots.push_back(timeline(mode, trace));
    std::erase_if(plots, [](const PlotData& plot) { return !has_rows(plot); });
    return plots;
}

}  // namespace dp::experiments::report
