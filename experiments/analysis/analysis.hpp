// What a folder of results shows: every figure of the report, computed once, as plain values. What
// was not measured or cannot be compared is none; nothing is filled in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/exchange/exchange_traits.hpp"
#include "experiments/analysis/comparison.hpp"
#include "experiments/analysis/contrast.hpp"
#include "experiments/analysis/models.hpp"
#include "experiments/analysis/reduction_times.hpp"
#include "experiments/analysis/settings.hpp"
#include "experiments/analysis/step_figures.hpp"
#include "experiments/analysis/straggler.hpp"
#include "experiments/analysis/usage_figures.hpp"
#include "experiments/analysis/waterfalls.hpp"
#include "experiments/results/ceiling_file.hpp"
#include "experiments/results/results_folder.hpp"
#include "experiments/results/trace_file.hpp"
#include "experiments/statistics/scaling.hpp"
#include "experiments/statistics/summary.hpp"
#include "experiments/statistics/waterfall.hpp"

namespace dp::experiments::analysis {

/// The repetitions of one design and N.
struct Configuration {
    std::string design;  // design_of() them
    std::size_t workers = 1;
    bool oversubscribed = false;
    bool takes_turns = false;  // serial with N > 1: virtual workers on one core
    std::span<const Run> runs;
    std::string settings;  // comparable_settings(); empty when the repetitions' differ

    /// None without training steps.
    std::optional<statistics::Summary> images_per_second;
    std::optional<statistics::Summary> train_seconds;
    std::optional<statistics::Summary> work_seconds;  // training on Analysis::work_images images
    std::optional<statistics::Scaling> scaling;       // none without a baseline that compares
    std::vector<std::pair<const Run*, double>> speedups;  // that scaling summarises, of each run
    std::optional<Metrics> metrics;
    std::optional<Memory> memory;      // none where the kernel did not tell
    std::optional<StepFigures> steps;  // none where they were not kept
    StragglerVerdict straggler;
    /// An epoch of each repetition, mean over its epochs and workers.
    std::vector<statistics::TimeParts> epochs;
    statistics::TimeParts
        parts;  // of a typical epoch: the repetitions' sum, scaled to their median
    std::size_t steps_per_epoch = 0;

    /// "threads, N = 2".
    [[nodiscard]] std::string name() const;
    /// Images/s of each repetition; 0 of one that did not train.
    [[nodiscard]] std::vector<double> rates() const;
    /// Seconds a step of one of the parts, or of several, over the repetitions. Requires steps.
    [[nodiscard]] statistics::Summary step_seconds(
        const std::function<double(const statistics::TimeParts&)>& part) const;
    /// Bytes of gradients that a worker sends to others or reads from them in a step, mean over the
    /// workers: ExchangeStats::sent_bytes. Requires metrics and steps.
    [[nodiscard]] double sent_bytes_per_step() const;
};

/// Whether designs and repetitions of one N that add gradients in one order ended with the same
/// parameters.
struct Correctness {
    std::vector<std::size_t> workers = {};  // one N; with shards every N that was run
    std::optional<std::size_t> shards = {};
    core::SumOrder order = core::SumOrder::kRing;
    std::vector<std::string> designs = {};
    std::size_t runs = 0;
    std::vector<std::string> checksums = {};                        // the different ones
    double train_loss = 0.0, test_loss = 0.0, test_accuracy = 0.0;  // of the first run
    [[nodiscard]] bool equal() const { return checksums.size() == 1; }
};

struct Analysis {
    ResultsFolder results;
    std::vector<Configuration> configurations;  // by N, then by design
    std::vector<std::string> designs;           // that were run, in the table's order
    const Configuration* baseline_of(const std::string& mode) const;
    const Configuration* find(const std::string& mode, std::size_t workers) const;
    /// Whether `design` is the first that was run of its mode.
    bool leads(const std::string& design) const;
    /// The largest N above 1 that is not oversubscribed, with a speedup; none where there is none.
    const Configuration* largest(const std::string& mode) const;

    double work_images = 0.0;  // that T(N) is the time for: those of one epoch of `work_of`
    std::string work_of;       // the baseline's name, or without one the first configuration's
    bool weak = false;         // work grows with N
    std::vector<Difference> differences;
    std::vector<Comparison> comparisons;
    std::vector<Contrast> contrasts;
    std::vector<Correctness> correctness;
    std::vector<std::string> unordered;  // "threads/atomic": runs of several ranks, not compared
    std::vector<Ceiling> ceilings;       // by N and repetition
    std::vector<ModeWaterfall> waterfalls;
    std::vector<ModeModels> models;
    ReductionTimes reductions;                                  // empty without allreduce.json
    std::vector<std::pair<std::string, TraceContents>> traces;  // by design

    Analysis() = default;
    Analysis(Analysis&&) = default;
    Analysis& operator=(Analysis&&) = default;
    Analysis(const Analysis&) = delete;  // configurations borrow from results
    Analysis& operator=(const Analysis&) = delete;
};

/// Reads and analyses. Throws what read_results() throws, Error(kData) for a damaged
/// allreduce.json or trace, Error(kUsage) when every run failed.
Analysis analyse(const std::filesystem::path& folder);

/// The same of runs that are in memory; without traces.
Analysis analyse(ResultsFolder results, ReductionTimes reductions = {});

}  // namespace dp::experiments::analysis
