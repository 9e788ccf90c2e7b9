#include "experiments/report/plot_data.hpp"

#include <algorithm>
#include <optional>

#include "experiments/modes.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/plot_parts.hpp"
#include "experiments/report/step_plots.hpp"
#include "experiments/text/csv.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

// More lines or bars than that hide each other; tables have them all.
constexpr std::size_t kMostDesigns = 8;

}  // namespace

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

std::optional<double> low(const statistics::Summary& summary) {
    return summary.interval ? std::optional(summary.interval->low) : std::nullopt;
}

std::optional<double> high(const statistics::Summary& summary) {
    return summary.interval ? std::optional(summary.interval->high) : std::nullopt;
}

namespace {

using statistics::Summary;

/// What the bars of medians are, as a sentence.
std::string bars_note(const Analysis& analysis) {
    const std::string names = interval_names(analysis);
    if (names.empty()) return "";
    return fmt::format(" Small points are single runs, large ones their medians, bars the {}.",
                       names);
}

const char* const kHollow =
    " Hollow points and the grey area, behind the break of the axis: more workers than CPUs.";

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
                        "(shaded, of each design).{} Time: training on {} images.{}",
                        bars_note(analysis), count(analysis.work_images),
                        any_oversubscribed(analysis) ? kHollow : ""),
            in_words(analysis, "Speedup against workers", [](const Configuration& each) {
                return fmt::format("{:.2f}", each.scaling->speedup.median);
            })};
}

PlotData efficiency(const Analysis& analysis) {
    return {"efficiency", "efficiency", speedup(analysis).csv,
            fmt::format("Efficiency (speedup / N) against workers.{}{}", bars_note(analysis),
                        any_oversubscribed(analysis) ? kHollow : ""),
            in_words(analysis, "Efficiency against workers", [](const Configuration& each) {
                return percent(each.scaling->efficiency.median, 0);
            })};
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
            "the first repetition. Designs that end with equal parameters share a curve against "
            "epochs: the one drawn last hides the others.",
            in_words(analysis, "Test accuracy at the end", [](const Configuration& each) {
                return percent(each.runs.front().result.test_accuracy, 2);
            })};
}

std::string design_of(const allreduce::Row& row) {
    core::RunConfig config;
    config.mode = row.mode;
    config.workers = row.workers;
    config.reduction = row.reduction;
    return experiments::design_of(config);
}

PlotData allreduce_times(const Analysis& analysis) {
    Csv csv({"mode", "reduction", "design", "workers", "oversubscribed", "bytes", "time_us",
             "time_low_us", "time_high_us", "busbw_gb_per_s"});
    std::vector<std::string> told;  // of the most bytes
    std::size_t most_bytes = 0;
    // The largest N that is not oversubscribed, or the smallest that is.
    std::optional<std::size_t> workers;
    for (const allreduce::Row& row : analysis.reductions.rows) {
        if (!row.oversubscribed) workers = std::max(workers.value_or(0), row.workers);
    }
    for (const allreduce::Row& row : analysis.reductions.rows) {
        if (!workers) workers = row.workers;
        if (row.wrong != 0 || row.workers != *workers) continue;
        csv.add(row.mode, row.reduction, design_of(row), row.workers, row.oversubscribed, row.bytes,
                row.time_us.median, low(row.time_us), high(row.time_us), row.busbw());
        if (row.bytes >= most_bytes) {
            if (row.bytes > most_bytes) told.clear();
            most_bytes = row.bytes;
            told.push_back(
                fmt::format("{} {}", design_of(row), seconds(row.time_us.median * 1e-6)));
        }
    }
    return {"allreduce", "allreduce", csv.text(),
            fmt::format("All-reduce alone, N = {}: median time and bus bandwidth against the size "
                        "of the gradients; bars hold the true median with 95 %, were its rounds "
                        "independent.",
                        workers.value_or(0)),
            fmt::format("All-reduce time and bus bandwidth against size; the median time of {}: {}",
                        bytes(static_cast<double>(most_bytes)), core::join(told))};
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
            "Physical memory of all processes of a run, and what it holds.",
            in_words(analysis, "Memory of all processes", [](const Configuration& each) {
                return each.memory ? bytes(each.memory->total_bytes.median) : std::string();
            })};
}

bool has_rows(const PlotData& plot) { return std::ranges::count(plot.csv, '\n') > 1; }

}  // namespace

std::vector<PlotData> plot_data(const Analysis& analysis) {
    std::vector<PlotData> plots{
        speedup(analysis),   efficiency(analysis),      training_seconds(analysis),
        breakdown(analysis), waterfall(analysis),       metrics(analysis),
        learning(analysis),  allreduce_times(analysis), memory(analysis)};
    plots.push_back(steps_histogram(drawn(analysis)));
    for (const auto& [design, trace] : analysis.traces) {
        plots.push_back(timeline(analysis, design, trace));
    }
    std::erase_if(plots, [](const PlotData& plot) { return !has_rows(plot); });
    return plots;
}

}  // namespace dp::experiments::report
