// The columns of runs.csv and epochs.csv: one table each feeds the files and the test of their
// documentation.
#include "experiments/results/runs_csv.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/optional_json.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/results/phase_cpu_columns.hpp"
#include "experiments/results/run_totals.hpp"

namespace dp::experiments {
namespace {

using core::Phase;
using core::RunResult;
using core::WorkerEpoch;
using statistics::TimeParts;
using Json = nlohmann::ordered_json;
using RunColumn = CsvColumn<Run>;
using EpochColumn = CsvColumn<EpochRow>;

/// Yields what a path of members leads to.
template <auto... kPath>
constexpr auto at = [](const auto& object) -> Json { return (object.*....*kPath); };

/// Null of an epoch that trained on nothing.
template <double core::EpochResult::*kField>
Json if_trained(const EpochRow& row) {
    return row.whole.images == 0 ? Json(nullptr) : Json(row.whole.*kField);
}

/// Over ranks and epochs.
template <auto... kPath>
double sum(const Run& run) {
    return sum_of(run.result, [](const WorkerEpoch& epoch) { return (epoch.*....*kPath); });
}

/// A count, exact up to 2^53.
template <auto... kPath>
Json count(const Run& run) {
    return static_cast<std::uint64_t>(sum<kPath...>(run));
}

double over_ranks(const Run& run, double total) {
    return total / static_cast<double>(run.result.workers.size());
}

/// NaN, an empty cell, of a run without epochs.
double per_epoch(const Run& run, double total) {
    return total / static_cast<double>(run.result.epochs.size());
}

template <std::uint64_t core::ProcessMemory::*kField>
Json process(const Run& run) {
    return process_bytes(run.result, kField);
}

template <std::uint64_t core::WorkerMemory::*kField>
Json allocated(const Run& run) {
    return allocated_bytes(run.result, kField);
}

/// What a rank spends its time on, a column of both tables; runs.csv has the mean over the ranks.
struct Share {
    std::string_view name;
    std::string_view meaning;
    Json (*of_run)(const Run& run);
    Json (*of_epoch)(const EpochRow& row);
    std::string_view more = "";         // what `meaning` goes on with
    std::string_view more_of_run = "";  // in runs.csv alone
};

template <Phase kPhase>
constexpr Share phase(std::string_view name, std::string_view meaning) {
    constexpr auto kAt = static_cast<std::size_t>(kPhase);
    return {name, meaning,
            [](const Run& run) -> Json { return run.result.mean_phase_seconds()[kAt]; },
            [](const EpochRow& row) -> Json { return row.mine.phase_seconds[kAt]; }};
}

template <double TimeParts::*kPart>
constexpr Share part(std::string_view name, std::string_view meaning, std::string_view more = "",
                     std::string_view more_of_run = "") {
    return {name,
            meaning,
            [](const Run& run) -> Json { return time_parts(run.result).*kPart; },
            [](const EpochRow& row) -> Json { return time_parts(row.mine).*kPart; },
            more,
            more_of_run};
}

constexpr std::array kShares{
    phase<Phase::kLoad>("load_seconds", "taking batches"),
    phase<Phase::kForward>("forward_seconds", "forward passes"),
    phase<Phase::kBackward>("backward_seconds", "backward passes"),
    part<&TimeParts::wait>("exchange_wait_seconds",
                           "exchange of gradients: waiting for another rank"),
    part<&TimeParts::transfer_exposed>("exchange_transfer_seconds",
                                       "exchange of gradients: moving and adding", "",
                                       "; `exchange_seconds` - `exchange.wait_seconds`"),
    part<&TimeParts::transfer_hidden>("exchange_hidden_seconds",
                                      "exchange between the layers of backward",
                                      "; a part of `backward_seconds`"),
    phase<Phase::kUpdate>("update_seconds", "the optimizer"),
    phase<Phase::kPublish>("publish_seconds", "until all parameters are updated for this rank"),
    phase<Phase::kEvaluate>("evaluate_seconds", "test set"),
    phase<Phase::kOther>("other_seconds", "all else"),
};

const std::array kBeforeSharesOfRun{
    RunColumn{"started", "", "UTC", &Run::started, true},
    RunColumn{"steps_per_epoch", "", "updates per epoch; empty without a training step",
              [](const Run& run) {
                  const std::size_t steps = run.result.steps_per_epoch;
                  return steps == 0 ? Json(nullptr) : Json(steps);
              }},
    RunColumn{"total_seconds", "s",
              "from the start of the run to its end, set-up and evaluation included",
              at<&Run::result, &RunResult::total_seconds>},
    RunColumn{"train_seconds", "s", "wall time of all training steps",
              [](const Run& run) { return run.result.train_seconds(); }},
    RunColumn{"images_per_second", "images/s",
              "images trained on by all ranks, over the time of their steps, without cold steps; "
              "empty when none was",
              [](const Run& run) {
                  const double rate = run.result.images_per_second();
                  return rate > 0.0 ? Json(rate) : Json(nullptr);
              }},
    RunColumn{"cold_steps", "steps",
              "the first steps, while the run was warming up: left out of `images_per_second` and "
              "`step_seconds`, of no other column",
              at<&Run::result, &RunResult::cold_steps>},
    RunColumn{"wall_seconds", "s",
              "of all epochs, training and evaluation, mean over the ranks; the sum of the next "
              "ten columns without `exchange_hidden_seconds`",
              [](const Run& run) { return over_ranks(run, sum<&WorkerEpoch::wall_seconds>(run)); }},
};

const std::array kAfterSharesOfRun{
    RunColumn{"step_seconds", "s", "mean time of a step that is not cold",
              [](const Run& run) { return run.result.step_seconds(); }},
    RunColumn{"exchange_calls_per_epoch", "", "all-reduces that a rank blocked in",
              [](const Run& run) {
                  const double calls =
                      sum<&WorkerEpoch::exchange, &core::ExchangeStats::calls>(run);
                  return per_epoch(run, over_ranks(run, calls));
              }},
    RunColumn{"sent_bytes_per_epoch", "bytes",
              "of gradients, over all ranks: sent to another rank, or read from or written to its "
              "memory",
              [](const Run& run) {
                  return per_epoch(
                      run, sum<&WorkerEpoch::exchange, &core::ExchangeStats::sent_bytes>(run));
              }},
    RunColumn{"compute_to_communication", "",
              "ratio (forward + backward - hidden) / (wait + transfer + publish + hidden) of the "
              "columns above; empty for one worker process, which communicates with nobody",
              [](const Run& run) -> Json { return compute_to_communication(run.result); }},
    RunColumn{"first_step_seconds", "s",
              "from the start of the program until the last worker began its first step, as it "
              "would be if this were the first run",
              &Run::first_step_seconds},
    RunColumn{"cpu_seconds", "s", "on a CPU, sum over ranks and epochs",
              sum<&WorkerEpoch::usage, &core::ThreadUsage::cpu_seconds>},
    RunColumn{"voluntary_switches", "", "of context, to wait; sum over ranks and epochs",
              count<&WorkerEpoch::usage, &core::ThreadUsage::voluntary_switches>},
    RunColumn{"involuntary_switches", "",
              "of context, because another took the CPU; sum over ranks and epochs",
              count<&WorkerEpoch::usage, &core::ThreadUsage::involuntary_switches>},
    RunColumn{"migrations", "",
              "to another CPU, sum over ranks and epochs; empty where the kernel does not tell",
              [](const Run& run) {
                  const auto moves = migrations_of(run.result);
                  return moves ? Json(static_cast<std::uint64_t>(*moves)) : Json(nullptr);
              }},
    RunColumn{"pss_bytes", "bytes",
              "physical memory after the last epoch, over all processes, the one that started the "
              "workers included: a page that k processes map counts 1/k for each; empty where the "
              "kernel does not tell",
              process<&core::ProcessMemory::pss_bytes>},
    RunColumn{"private_bytes", "bytes", "pages that one process alone maps, likewise",
              process<&core::ProcessMemory::private_bytes>},
    RunColumn{"shared_bytes", "bytes",
              "pages that several processes map, likewise, in full for each of them",
              process<&core::ProcessMemory::shared_bytes>},
    RunColumn{"parameters_bytes", "bytes", "allocated for parameters, over all ranks",
              allocated<&core::WorkerMemory::parameters_bytes>},
    RunColumn{"gradients_bytes", "bytes", "for gradients, over all ranks",
              allocated<&core::WorkerMemory::gradients_bytes>},
    RunColumn{"optimizer_bytes", "bytes", "for the optimizer's state, over all ranks",
              allocated<&core::WorkerMemory::optimizer_bytes>},
    RunColumn{"activations_bytes", "bytes", "for activations and their gradients, over all ranks",
              allocated<&core::WorkerMemory::activations_bytes>},
    RunColumn{"data_bytes", "bytes", "of the data set, which all ranks share",
              at<&Run::settings, &RunSettings::data, &DataFacts::bytes>, true},
    RunColumn{"test_loss", "", "of the final parameters", at<&Run::result, &RunResult::test_loss>},
    RunColumn{"test_accuracy", "in [0, 1]", "of the final parameters",
              at<&Run::result, &RunResult::test_accuracy>},
    RunColumn{"checksum", "", "of the final parameters, 16 hexadecimal digits",
              at<&Run::result, &RunResult::checksum>},
    RunColumn{"status", "", "`complete` or `failed`",
              [](const Run& run) { return run.failure ? "failed" : "complete"; }, true},
    RunColumn{"reason", "", "the message of a failed run; empty otherwise",
              [](const Run& run) { return run.failure ? run.failure->reason : ""; }, true},
};

const std::array kBeforeSharesOfEpoch{
    EpochColumn{"epoch", "", "from 1", [](const EpochRow& row) { return row.epoch + 1; }},
    EpochColumn{"rank", "", "the worker's number; `serial` has one row for all it plays",
                [](const EpochRow& row) { return row.report->rank; }},
    EpochColumn{"train_loss", "", "over all ranks, of the forward passes that trained",
                if_trained<&core::EpochResult::train_loss>},
    EpochColumn{"train_accuracy", "in [0, 1]", "likewise",
                if_trained<&core::EpochResult::train_accuracy>},
    EpochColumn{"test_loss", "", "over the test set, after the epoch",
                at<&EpochRow::whole, &core::EpochResult::test_loss>},
    EpochColumn{"test_accuracy", "in [0, 1]", "likewise",
                at<&EpochRow::whole, &core::EpochResult::test_accuracy>},
    EpochColumn{"elapsed_seconds", "s",
                "from the start of the first epoch to the end of this one, evaluation included; "
                "the sum of `wall_seconds` so far",
                [](const EpochRow& row) {
                    double seconds = 0.0;
                    for (std::size_t i = 0; i <= row.epoch; ++i) {
                        seconds += row.report->epochs[i].wall_seconds;
                    }
                    return seconds;
                }},
    EpochColumn{"trained_seconds", "s", "training steps of all epochs so far, on rank 0",
                [](const EpochRow& row) {
                    double seconds = 0.0;
                    for (std::size_t i = 0; i <= row.epoch; ++i) {
                        seconds += row.run->result.epochs[i].train_seconds;
                    }
                    return seconds;
                }},
    EpochColumn{"images", "images", "trained on by this rank",
                at<&EpochRow::mine, &WorkerEpoch::images>},
    EpochColumn{"wall_seconds", "s",
                "of the epoch, training and evaluation; the sum of the next ten columns without "
                "`exchange_hidden_seconds`",
                at<&EpochRow::mine, &WorkerEpoch::wall_seconds>},
};

const std::array kAfterSharesOfEpoch{
    EpochColumn{"exchange_calls", "", "all-reduces that the worker blocked in",
                at<&EpochRow::mine, &WorkerEpoch::exchange, &core::ExchangeStats::calls>},
    EpochColumn{"sent_bytes", "bytes",
                "of gradients: sent to another rank, or read from or written to its memory",
                at<&EpochRow::mine, &WorkerEpoch::exchange, &core::ExchangeStats::sent_bytes>},
    EpochColumn{"late_at_exchange_steps", "steps",
                "in which this rank was the last to complete its gradients",
                at<&EpochRow::mine, &WorkerEpoch::late_at_exchange, &core::Lateness::steps>},
    EpochColumn{"late_at_exchange_seconds", "s",
                "by which it came after the last but one, over those steps",
                at<&EpochRow::mine, &WorkerEpoch::late_at_exchange, &core::Lateness::seconds>},
    EpochColumn{"late_at_publish_steps", "steps",
                "in which this rank was the last to complete its update; 0 in `procs`, whose ranks "
                "do not meet there unless updates are sharded",
                at<&EpochRow::mine, &WorkerEpoch::late_at_publish, &core::Lateness::steps>},
    EpochColumn{"late_at_publish_seconds", "s",
                "by which it came after the last but one, over those steps",
                at<&EpochRow::mine, &WorkerEpoch::late_at_publish, &core::Lateness::seconds>},
    EpochColumn{"cpu_seconds", "s", "on a CPU",
                at<&EpochRow::mine, &WorkerEpoch::usage, &core::ThreadUsage::cpu_seconds>},
    EpochColumn{"voluntary_switches", "", "of context, to wait",
                at<&EpochRow::mine, &WorkerEpoch::usage, &core::ThreadUsage::voluntary_switches>},
    EpochColumn{"involuntary_switches", "", "of context, because another took the CPU",
                at<&EpochRow::mine, &WorkerEpoch::usage, &core::ThreadUsage::involuntary_switches>},
    EpochColumn{"migrations", "", "to another CPU; empty where the kernel does not tell",
                at<&EpochRow::mine, &WorkerEpoch::usage, &core::ThreadUsage::migrations>},
};

/// What was chosen, in both tables: settings by their place, and where the run stands in its sweep.
std::vector<RunColumn> chosen() {
    std::vector<const Setting*> rows;
    for (const Setting& row : settings()) {
        if (row.column != 0) rows.push_back(&row);
    }
    std::ranges::sort(rows, {}, &Setting::column);
    std::vector<RunColumn> columns;
    for (const Setting* row : rows) {
        columns.push_back({row->name, row->unit, std::string(row->meaning),
                           [row](const Run& run) { return row->write(run.settings); }, true});
        if (row->name != "workers") continue;
        columns.push_back(
            {"repetition", "", "of this design and N, from 1", &Run::repetition, true});
        columns.push_back({"sequence", "",
                           "place among the sweep's runs as they were started, from 1",
                           &Run::sequence, true});
    }
    return columns;
}

template <typename Row>
void append(std::vector<CsvColumn<Row>>& columns, const auto& more) {
    columns.insert(columns.end(), more.begin(), more.end());
}

std::vector<RunColumn> columns_of_run() {
    std::vector<RunColumn> columns = chosen();
    append(columns, kBeforeSharesOfRun);
    for (const Share& share : kShares) {
        columns.push_back({share.name, "s",
                           fmt::format("{}, mean over the ranks{}{}", share.meaning, share.more,
                                       share.more_of_run),
                           share.of_run});
    }
    append(columns, kAfterSharesOfRun);
    append(columns, cpu_columns_of_run());
    return columns;
}

std::vector<EpochColumn> columns_of_epoch() {
    std::vector<EpochColumn> columns;
    for (const RunColumn& column : chosen()) {
        columns.push_back(
            {column.name, column.unit, column.meaning,
             [value = column.value](const EpochRow& row) { return value(*row.run); }});
    }
    append(columns, kBeforeSharesOfEpoch);
    for (const Share& share : kShares) {
        columns.push_back(
            {share.name, "s", fmt::format("{}{}", share.meaning, share.more), share.of_epoch});
    }
    append(columns, kAfterSharesOfEpoch);
    append(columns, cpu_columns_of_epoch());
    return columns;
}

}  // namespace

std::span<const CsvColumn<Run>> runs_csv_columns() {
    static const std::vector<RunColumn> columns = columns_of_run();
    return columns;
}

std::span<const CsvColumn<EpochRow>> epochs_csv_columns() {
    static const std::vector<EpochColumn> columns = columns_of_epoch();
    return columns;
}

}  // namespace dp::experiments
