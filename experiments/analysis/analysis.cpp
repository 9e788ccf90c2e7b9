#include "experiments/analysis/analysis.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "experiments/analysis/scaling_input.hpp"
#include "experiments/analysis/usage_figures.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments::analysis {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using statistics::summarise;

/// Samples that statistics accept: finite and above 0, in every repetition.
bool usable(std::span<const double> samples) {
    return !samples.empty() && std::ranges::all_of(samples, [](double value) {
        return std::isfinite(value) && value > 0.0;
    });
}

/// Images trained on by all workers in one epoch.
double images_per_epoch(const core::RunResult& result) {
    double images = 0.0;
    for (const core::EpochResult& epoch : result.epochs) {
        images += static_cast<double>(epoch.images);
    }
    return result.epochs.empty() ? 0.0 : images / static_cast<double>(result.epochs.size());
}

statistics::TimeParts typical_epoch(std::span<const Run> runs) {
    statistics::TimeParts sum;
    std::vector<double> totals;
    for (const Run& run : runs) {
        statistics::TimeParts parts = time_parts(run.result);
        parts *= 1.0 / static_cast<double>(run.result.epochs.size());
        sum += parts;
        totals.push_back(parts.total());
    }
    if (sum.total() > 0.0) sum *= statistics::median(totals) / sum.total();
    return sum;
}

std::string settings_of(std::span<const Run> runs) {
    // How gradients are summed belongs to a design, so it may differ between designs, not within
    // one.
    const auto text = [](const Run& run) {
        return comparable_settings(run) + run.result.reduction;
    };
    const std::string first = text(runs.front());
    const bool equal =
        std::ranges::all_of(runs, [&](const Run& run) { return text(run) == first; });
    return equal ? comparable_settings(runs.front()) : "";
}

Configuration configuration_of(std::span<const Run> runs) {
    const Run& first = runs.front();
    Configuration result;
    result.mode = design_of(first.settings.config);
    result.workers = first.workers();
    result.oversubscribed = first.settings.oversubscribed;
    result.takes_turns = mode_of(result.mode).takes_turns && result.workers > 1;
    result.runs = runs;
    result.settings = settings_of(runs);
    result.memory = find_memory(runs);
    result.steps_per_epoch = first.result.steps_per_epoch;
    const std::vector<double> rates = result.rates();
    if (result.settings.empty() || !usable(rates)) return result;

    std::vector<double> seconds;
    for (const Run& run : runs) seconds.push_back(run.result.train_seconds());
    result.images_per_second = summarise(rates);
    result.train_seconds = summarise(seconds);
    result.straggler = find_straggler(runs);
    result.parts = typical_epoch(runs);
    result.metrics = find_metrics(runs);
    return result;
}

/// Training seconds for `images` images, one value for each repetition.
std::vector<double> seconds_for(const Configuration& configuration, double images) {
    std::vector<double> seconds = configuration.rates();
    for (double& value : seconds) value = images / value;
    return seconds;
}

/// The same of whole runs, from their start to their end.
double total_seconds_per_image(const Configuration& configuration) {
    std::vector<double> seconds;
    for (const Run& run : configuration.runs) {
        seconds.push_back(
            run.result.total_seconds /
            (images_per_epoch(run.result) * static_cast<double>(run.result.epochs.size())));
    }
    return statistics::median(seconds);
}

void compare_with_baseline(Analysis& analysis, Configuration& each) {
    if (!each.images_per_second) return;
    each.work_seconds = summarise(seconds_for(each, analysis.work_images));
    const Configuration* baseline = analysis.baseline_of(each.mode);
    if (baseline == nullptr || each.takes_turns || each.settings != baseline->settings) return;
    each.scaling = statistics::scaling_of(seconds_for(*baseline, analysis.work_images),
                                          seconds_for(each, analysis.work_images), each.workers);
    if (&each == baseline) {  // 1 by definition, however its repetitions spread
        each.scaling->speedup.interval95.reset();
        each.scaling->efficiency.interval95.reset();
    }
    const double total = total_seconds_per_image(each);
    if (total > 0.0) {
        each.metrics->effective_speedup = total_seconds_per_image(*baseline) / total;
    }
}

/// Modes that take turns have no speed to compare.
bool is_comparable(const Configuration& each) {
    return each.images_per_second && !each.takes_turns;
}

/// Two modes of one N, repetition by repetition.
std::optional<Comparison> compare(const Configuration& first, const Configuration& second) {
    std::map<std::size_t, double> by_repetition;
    for (const Run& run : second.runs) {
        by_repetition[run.repetition] = run.result.images_per_second();
    }
    std::vector<double> numerators;
    std::vector<double> denominators;
    for (const Run& run : first.runs) {
        const auto pair = by_repetition.find(run.repetition);
        if (pair == by_repetition.end()) continue;
        numerators.push_back(run.result.images_per_second());
        denominators.push_back(pair->second);
    }
    if (numerators.empty()) return std::nullopt;
    return Comparison{first.workers, first.oversubscribed || second.oversubscribed, first.mode,
                      second.mode, statistics::paired_ratio(numerators, denominators)};
}

/// Chosen before anything was measured: the first designs of two modes, and every other design with
/// the first of its mode. All pairs of many designs would drown what a reader asks.
bool are_compared(const Analysis& analysis, const Configuration& first,
                  const Configuration& second) {
    const auto leads = [&](const Configuration& each) {
        const auto leader =
            std::ranges::find_if(analysis.configurations, [&](const Configuration& other) {
                return other.workers == each.workers &&
                       mode_of(other.mode).name == mode_of(each.mode).name;
            });
        return &*leader == &each;
    };
    if (mode_of(first.mode).name == mode_of(second.mode).name) return leads(first) || leads(second);
    return leads(first) && leads(second);
}

void compare_modes(Analysis& analysis) {
    const std::span all(analysis.configurations);
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (const Configuration& second : all.subspan(i + 1)) {
            const Configuration& first = all[i];
            if (first.workers != second.workers || first.settings != second.settings ||
                !is_comparable(first) || !is_comparable(second) ||
                !are_compared(analysis, first, second)) {
                continue;
            }
            if (auto comparison = compare(first, second)) {
                analysis.comparisons.push_back(*comparison);
            }
        }
    }
}

/// Of each N and order of additions, over modes and repetitions, and with shards over all N; runs
/// of other settings cannot end with the same bits. One worker without shards adds nothing, so that
/// it has every order.
void check_correctness(Analysis& analysis) {
    for (const Run& run : analysis.results.runs) {
        if (!has_order(run.mode(), run.result.reduction, run.workers())) {
            const std::string name = design_of(run.settings.config);
            if (std::ranges::find(analysis.unordered, name) == analysis.unordered.end()) {
                analysis.unordered.push_back(name);
            }
            continue;
        }
        const auto& shards = run.settings.config.shards;
        const core::SumOrder order = run.workers() == 1 && !shards
                                         ? core::SumOrder::kRing
                                         : sum_order_of(run.mode(), run.result.reduction);
        auto& all = analysis.correctness;
        auto same = std::ranges::find_if(all, [&](const Correctness& each) {
            return each.shards == shards && each.order == order &&
                   (shards || each.workers.front() == run.workers());
        });
        if (same == all.end()) {
            Correctness row{{}, shards, order};
            if (!run.result.epochs.empty()) row.train_loss = run.result.epochs.back().train_loss;
            row.test_loss = run.result.test_loss;
            row.test_accuracy = run.result.test_accuracy;
            same = all.insert(all.end(), row);
        }
        Correctness& row = *same;
        ++row.runs;
        if (std::ranges::find(row.workers, run.workers()) == row.workers.end()) {
            row.workers.push_back(run.workers());
        }
        const std::string design = design_of(run.settings.config);
        if (std::ranges::find(row.modes, design) == row.modes.end()) row.modes.push_back(design);
        if (std::ranges::find(row.checksums, run.result.checksum) == row.checksums.end()) {
            row.checksums.push_back(run.result.checksum);
        }
    }
}

/// The parts of a typical epoch for `images` images; start-up does not grow with them.
statistics::TimeParts parts_for(const Configuration& each, double images) {
    statistics::TimeParts parts = each.parts;
    parts *= images / images_per_epoch(each.runs.front().result);
    parts.start_up = each.parts.start_up;
    return parts;
}

void find_waterfalls(Analysis& analysis) {
    for (const std::string& mode : analysis.modes) {
        const Configuration* several = analysis.largest(mode);
        const Configuration* one = analysis.baseline_of(mode);
        if (several == nullptr || one == nullptr) continue;
        const auto parts = parts_for(*several, analysis.work_images);
        const auto one_parts = parts_for(*one, analysis.work_images);
        if (parts.total() <= 0.0 || one_parts.total() <= 0.0) continue;
        analysis.waterfalls.push_back(
            {mode, one->name(), statistics::waterfall(one_parts, parts, several->workers)});
    }
}

void fit_all(Analysis& analysis) {
    for (const std::string& mode : analysis.modes) {
        if (!mode_of(mode).exchanges) continue;
        std::vector<const Configuration*> of_mode;
        for (const Configuration& each : analysis.configurations) {
            if (each.mode == mode) of_mode.push_back(&each);
        }
        analysis.models.push_back(fit_models(mode, of_mode, analysis.weak, analysis.allreduce));
    }
}

/// trace-<design>-n<N>.json: of each design the one of the largest N.
void read_traces(Analysis& analysis) {
    for (const std::string& mode : analysis.modes) {
        for (auto each = analysis.configurations.rbegin(); each != analysis.configurations.rend();
             ++each) {
            const fs::path file =
                analysis.results.folder /
                fmt::format("trace-{}-n{}.json", in_file_name(mode), each->workers);
            if (each->mode != mode || !fs::exists(file)) continue;
            analysis.traces.emplace_back(mode, read_trace(file));
            break;
        }
    }
}

Analysis begin(ResultsFolder results) {
    if (results.runs.empty()) {
        throw Error(ExitCode::kUsage,
                    "{}: every run failed ({}): run again, there is nothing to report",
                    results.folder.string(), results.failed.front().failure->reason);
    }
    Analysis analysis;
    analysis.results = std::move(results);
    for (std::span<const Run> left(analysis.results.runs); !left.empty();) {
        const auto other = std::ranges::find_if(left, [&](const Run& run) {
            return design_of(run.settings.config) != design_of(left.front().settings.config) ||
                   run.workers() != left.front().workers();
        });
        const auto count = static_cast<std::size_t>(other - left.begin());
        analysis.configurations.push_back(configuration_of(left.first(count)));
        const std::string& design = analysis.configurations.back().mode;
        if (std::ranges::find(analysis.modes, design) == analysis.modes.end()) {
            analysis.modes.push_back(design);
        }
        left = left.subspan(count);
    }
    analysis.differences = find_differences(analysis.results.runs);
    analysis.weak = analysis.results.runs.front().settings.scaling == experiments::Scaling::kWeak;
    return analysis;
}

void finish(Analysis& analysis) {
    const Configuration* first = nullptr;
    for (const std::string& mode : analysis.modes) {
        if (first == nullptr) first = analysis.baseline_of(mode);
    }
    if (first == nullptr) first = &analysis.configurations.front();
    analysis.work_images = images_per_epoch(first->runs.front().result);
    analysis.work_of = first->name();
    for (Configuration& each : analysis.configurations) compare_with_baseline(analysis, each);
    compare_modes(analysis);
    check_correctness(analysis);
    find_waterfalls(analysis);
    fit_all(analysis);
}

}  // namespace

std::string Comparison::verdict() const {
    if (!ratio.interval95) return "one pair cannot tell";
    if (!ratio.difference_shown) return "no difference shown";
    return fmt::format("{} are faster", ratio.ratio > 1.0 ? first : second);
}

std::string Configuration::name() const { return fmt::format("{}, N = {}", mode, workers); }

std::vector<double> Configuration::rates() const {
    std::vector<double> rates;
    for (const Run& run : runs) rates.push_back(run.result.images_per_second());
    return rates;
}

const Configuration* Analysis::find(const std::string& mode, std::size_t workers) const {
    for (const Configuration& each : configurations) {
        if (each.mode == mode && each.workers == workers) return &each;
    }
    return nullptr;
}

const Configuration* Analysis::baseline_of(const std::string& mode) const {
    std::vector<std::string> names = modes_that(&Mode::is_baseline);
    names.push_back(mode);
    for (const std::string& name : names) {
        const Configuration* each = find(name, 1);
        if (each != nullptr && each->images_per_second && !each->oversubscribed) return each;
    }
    return nullptr;
}

const Configuration* Analysis::largest(const std::string& mode) const {
    const Configuration* largest = nullptr;
    for (const Configuration& each : configurations) {
        if (each.mode == mode && each.workers > 1 && !each.oversubscribed && each.scaling) {
            largest = &each;
        }
    }
    return largest;
}

Analysis analyse(ResultsFolder results, std::vector<allreduce::Row> rows) {
    Analysis analysis = begin(std::move(results));
    analysis.allreduce = std::move(rows);
    finish(analysis);
    return analysis;
}

Analysis analyse(const fs::path& folder) {
    Analysis analysis = begin(read_results(folder));
    const fs::path allreduce_file = folder / "allreduce.json";
    if (fs::exists(allreduce_file)) analysis.allreduce = read_allreduce(allreduce_file);
    read_traces(analysis);
    finish(analysis);
    return analysis;
}

}  // namespace dp::experiments::analysis
