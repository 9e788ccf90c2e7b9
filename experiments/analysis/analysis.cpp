#include "experiments/analysis/analysis.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/error.hpp"
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

std::vector<statistics::TimeParts> epochs_of(std::span<const Run> runs) {
    std::vector<statistics::TimeParts> epochs;
    for (const Run& run : runs) {
        epochs.push_back(time_parts(run.result));
        epochs.back() *= 1.0 / static_cast<double>(run.result.epochs.size());
    }
    return epochs;
}

statistics::TimeParts typical_epoch(std::span<const statistics::TimeParts> epochs) {
    statistics::TimeParts sum;
    std::vector<double> totals;
    for (const statistics::TimeParts& parts : epochs) {
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
        return fmt::format("{}{}{}", comparable_settings(run), run.result.reduction,
                           run.settings.config.threads_per_worker);
    };
    const std::string first = text(runs.front());
    const bool equal =
        std::ranges::all_of(runs, [&](const Run& run) { return text(run) == first; });
    return equal ? comparable_settings(runs.front()) : "";
}

Configuration configuration_of(std::span<const Run> runs) {
    const Run& first = runs.front();
    Configuration result;
    result.design = design_of(first.settings.config);
    result.workers = first.workers();
    result.oversubscribed = first.settings.oversubscribed;
    result.takes_turns = mode_of(result.design).takes_turns && result.workers > 1;
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
    result.steps = find_step_figures(runs);
    result.straggler = find_straggler(runs);
    result.epochs = epochs_of(runs);
    result.parts = typical_epoch(result.epochs);
    result.metrics = find_metrics(runs);
    return result;
}

/// Training seconds for `images` images, one value for each repetition.
std::vector<double> seconds_for(const Configuration& configuration, double images) {
    std::vector<double> seconds = configuration.rates();
    for (double& value : seconds) value = images / value;
    return seconds;
}

/// The same of a whole run and one image, from its start to its end.
double total_seconds_per_image(const Run& run) {
    return run.result.total_seconds /
           (images_per_epoch(run.result) * static_cast<double>(run.result.epochs.size()));
}

void compare_with_baseline(Analysis& analysis, Configuration& each) {
    if (!each.images_per_second) return;
    each.work_seconds = summarise(seconds_for(each, analysis.work_images));
    const Configuration* baseline = analysis.baseline_of(each.design);
    if (baseline == nullptr || each.takes_turns || each.settings != baseline->settings) return;
    std::vector<double> one;
    std::vector<double> several;
    std::vector<double> effective;
    for (const auto& [first, run] : paired_runs(baseline->runs, each.runs)) {
        one.push_back(1.0 / first->result.images_per_second());
        several.push_back(1.0 / run->result.images_per_second());
        each.speedups.emplace_back(run, one.back() / several.back());
        const double total = total_seconds_per_image(*run);
        if (total > 0.0) effective.push_back(total_seconds_per_image(*first) / total);
    }
    if (one.empty()) return;
    each.scaling = statistics::scaling_of(one, several, each.workers);
    // Workers that take turns on a CPU lose what no serial fraction explains.
    if (each.oversubscribed) each.scaling->karp_flatt.reset();
    if (effective.size() == one.size()) each.metrics->effective_speedup = summarise(effective);
    if (&each != baseline) return;
    // 1 by definition, not by measurement.
    each.scaling->speedup.interval.reset();
    each.scaling->efficiency.interval.reset();
    if (each.metrics->effective_speedup) each.metrics->effective_speedup->interval.reset();
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
        if (std::ranges::find(row.designs, design) == row.designs.end())
            row.designs.push_back(design);
        if (std::ranges::find(row.checksums, run.result.checksum) == row.checksums.end()) {
            row.checksums.push_back(run.result.checksum);
        }
    }
}

void fit_all(Analysis& analysis) {
    for (const std::string& mode : analysis.designs) {
        if (!mode_of(mode).exchanges) continue;
        std::vector<const Configuration*> of_mode;
        for (const Configuration& each : analysis.configurations) {
            if (each.design == mode) of_mode.push_back(&each);
        }
        analysis.models.push_back(fit_models(mode, of_mode, analysis.weak));
    }
}

/// trace-<design>-n<N>.json: of each design the one of the largest N.
void read_traces(Analysis& analysis) {
    for (const std::string& mode : analysis.designs) {
        for (auto each = analysis.configurations.rbegin(); each != analysis.configurations.rend();
             ++each) {
            fs::path file = analysis.results.folder /
                            fmt::format("trace-{}-n{}.json", in_file_name(mode), each->workers);
            if (!fs::exists(file)) file += ".gz";  // as the sample's are
            if (each->design != mode || !fs::exists(file)) continue;
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
    analysis.ceilings = read_ceilings(analysis.results.folder);
    for (std::span<const Run> left(analysis.results.runs); !left.empty();) {
        const auto other = std::ranges::find_if(left, [&](const Run& run) {
            return design_of(run.settings.config) != design_of(left.front().settings.config) ||
                   run.workers() != left.front().workers();
        });
        const auto count = static_cast<std::size_t>(other - left.begin());
        analysis.configurations.push_back(configuration_of(left.first(count)));
        const std::string& design = analysis.configurations.back().design;
        if (std::ranges::find(analysis.designs, design) == analysis.designs.end()) {
            analysis.designs.push_back(design);
        }
        left = left.subspan(count);
    }
    analysis.differences = find_differences(analysis.results.runs);
    analysis.weak = analysis.results.runs.front().settings.scaling == experiments::Scaling::kWeak;
    return analysis;
}

void finish(Analysis& analysis) {
    const Configuration* first = nullptr;
    for (const std::string& mode : analysis.designs) {
        if (first == nullptr) first = analysis.baseline_of(mode);
    }
    if (first == nullptr) first = &analysis.configurations.front();
    analysis.work_images = images_per_epoch(first->runs.front().result);
    analysis.work_of = first->name();
    for (Configuration& each : analysis.configurations) compare_with_baseline(analysis, each);
    analysis.comparisons = compare_designs(analysis.configurations);
    analysis.contrasts = find_contrasts(analysis);
    check_correctness(analysis);
    analysis.waterfalls = find_waterfalls(analysis);
    fit_all(analysis);
}

}  // namespace

std::string Configuration::name() const { return fmt::format("{}, N = {}", design, workers); }

std::vector<double> Configuration::rates() const {
    std::vector<double> rates;
    for (const Run& run : runs) rates.push_back(run.result.images_per_second());
    return rates;
}

statistics::Summary Configuration::step_seconds(
    const std::function<double(const statistics::TimeParts&)>& part) const {
    std::vector<double> seconds;
    for (const statistics::TimeParts& epoch : epochs) {
        seconds.push_back(part(epoch) / static_cast<double>(steps_per_epoch));
    }
    return summarise(seconds);
}

double Configuration::sent_bytes_per_step() const {
    return metrics->sent_bytes_per_epoch / static_cast<double>(steps_per_epoch) /
           static_cast<double>(runs.front().result.workers.size());
}

const Configuration* Analysis::find(const std::string& mode, std::size_t workers) const {
    for (const Configuration& each : configurations) {
        if (each.design == mode && each.workers == workers) return &each;
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

bool Analysis::leads(const std::string& design) const {
    const auto first = std::ranges::find_if(
        designs, [&](const std::string& other) { return same_mode(other, design); });
    return first != designs.end() && *first == design;
}

const Configuration* Analysis::largest(const std::string& mode) const {
    const Configuration* largest = nullptr;
    for (const Configuration& each : configurations) {
        if (each.design == mode && each.workers > 1 && !each.oversubscribed && each.scaling) {
            largest = &each;
        }
    }
    return largest;
}

Analysis analyse(ResultsFolder results, ReductionTimes reductions) {
    Analysis analysis = begin(std::move(results));
    analysis.reductions = std::move(reductions);
    finish(analysis);
    return analysis;
}

Analysis analyse(const fs::path& folder) {
    Analysis analysis = begin(read_results(folder));
    const fs::path allreduce_file = folder / "allreduce.json";
    if (fs::exists(allreduce_file)) analysis.reductions = read_allreduce(allreduce_file);
    read_traces(analysis);
    finish(analysis);
    return analysis;
}

}  // namespace dp::experiments::analysis
