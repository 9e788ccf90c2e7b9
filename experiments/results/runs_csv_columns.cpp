// The columns of runs.csv and epochs.csv: one table each feeds the files and the test of their
// documentation.
#include "experiments/results/runs_csv.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "experiments/options/settings.hpp"

#include "experiments/results/run_totals.hpp"

namespace dp::experiments {
namespace {

using core::Phase;
using core::WorkerEpoch;
using core::WorkerReport;
using Json = nlohmann::ordered_json;

template <typename T>
Json optional_json(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

double phase(const WorkerEpoch& epoch, Phase which) {
    return epoch.phase_seconds[static_cast<std::size_t>(which)];
}

/// A count, exact up to 2^53.
Json count(double value) { return static_cast<std::uint64_t>(value); }

double over_ranks(const StoredRun& run, double total) {
    return total / static_cast<double>(run.result.workers.size());
}

/// NaN, an empty cell, of a run without epochs.
double per_epoch(const StoredRun& run, double total) {
    return total / static_cast<double>(run.result.epochs.size());
}

Json migrations(const StoredRun& run) {
    const auto moves = migrations_of(run.result);
    return moves ? count(*moves) : Json(nullptr);
}

/// The mean over the ranks of a part of the whole run's seconds.
template <double statistics::TimeParts::*kPart>
Json part_of_run(const StoredRun& run) {
    return time_parts(run.result).*kPart;
}

template <double statistics::TimeParts::*kPart>
Json part_of_epoch(const EpochRow& row) {
    return time_parts(row.mine()).*kPart;
}

using RunColumn = CsvColumn<StoredRun>;
using EpochColumn = CsvColumn<EpochRow>;

template <Phase kPhase>
Json phase_of_run(const StoredRun& run) {
    return run.result.mean_phase_seconds()[static_cast<std::size_t>(kPhase)];
}

template <std::uint64_t core::ProcessMemory::*kField>
Json process(const StoredRun& run) {
    return optional_json(process_bytes(run.result, kField));
}

template <std::uint64_t core::WorkerMemory::*kField>
Json allocated(const StoredRun& run) {
    return allocated_bytes(run.result, kField);
}

template <Phase kPhase>
Json phase_of_epoch(const EpochRow& row) {
    return phase(row.mine(), kPhase);
}

const std::array kMeasuredOfRun{
    RunColumn{"started", "", "UTC", [](const StoredRun& run) { return Json(run.started); }, true},
    RunColumn{"steps_per_epoch", "", "updates per epoch; empty without a training step",
              [](const StoredRun& run) {
                  const std::size_t steps = run.result.steps_per_epoch;
                  return steps == 0 ? Json(nullptr) : Json(steps);
              }},
    RunColumn{"total_seconds", "s",
              "from the start of the run to its end, set-up and evaluation included",
              [](const StoredRun& run) { return Json(run.result.total_seconds); }},
    RunColumn{"train_seconds", "s", "wall time of all training steps",
              [](const StoredRun& run) { return Json(run.result.train_seconds()); }},
    RunColumn{"images_per_second", "images/s",
              "images trained on by all ranks, over `train_seconds`; empty when none was",
              [](const StoredRun& run) {
                  const double rate = run.result.images_per_second();
                  return rate > 0.0 ? Json(rate) : Json(nullptr);
              }},
    RunColumn{"wall_seconds", "s",
              "of all epochs, training and evaluation, mean over the ranks; the sum of the next "
              "ten columns without `exchange_hidden_seconds`",
              [](const StoredRun& run) {
                  return Json(over_ranks(run, sum_of(run.result, [](const WorkerEpoch& epoch) {
                                             return epoch.wall_seconds;
                                         })));
              }},
    RunColumn{"load_seconds", "s", "taking batches, mean over the ranks",
              phase_of_run<Phase::kLoad>},
    RunColumn{"forward_seconds", "s", "forward passes, mean over the ranks",
              phase_of_run<Phase::kForward>},
    RunColumn{"backward_seconds", "s", "backward passes, mean over the ranks",
              phase_of_run<Phase::kBackward>},
    RunColumn{"exchange_wait_seconds", "s",
              "exchange of gradients: waiting for another rank, mean over the ranks",
              part_of_run<&statistics::TimeParts::wait>},
    RunColumn{"exchange_transfer_seconds", "s",
              "exchange of gradients: moving and adding, mean over the ranks; `exchange_seconds` - "
              "`exchange.wait_seconds`",
              part_of_run<&statistics::TimeParts::transfer_exposed>},
    RunColumn{"exchange_hidden_seconds", "s",
              "exchange between the layers of backward, mean over the ranks; a part of "
              "`backward_seconds`",
              part_of_run<&statistics::TimeParts::transfer_hidden>},
    RunColumn{"update_seconds", "s", "the optimizer, mean over the ranks",
              phase_of_run<Phase::kUpdate>},
    RunColumn{"publish_seconds", "s",
              "until all parameters are updated for this rank, mean over the ranks",
              phase_of_run<Phase::kPublish>},
    RunColumn{"evaluate_seconds", "s", "test set, mean over the ranks",
              phase_of_run<Phase::kEvaluate>},
    RunColumn{"other_seconds", "s", "all else, mean over the ranks", phase_of_run<Phase::kOther>},
    RunColumn{"step_seconds", "s",
              "mean time of a step: `train_seconds` / (`steps_per_epoch` * epochs)",
              [](const StoredRun& run) {
                  return Json(run.result.train_seconds() / steps_of(run.result));
              }},
    RunColumn{"exchange_calls_per_epoch", "", "all-reduces that a rank blocked in",
              [](const StoredRun& run) {
                  const auto calls = [](const WorkerEpoch& epoch) { return epoch.exchange.calls; };
                  return Json(per_epoch(run, over_ranks(run, sum_of(run.result, calls))));
              }},
    RunColumn{"sent_bytes_per_epoch", "bytes",
              "of gradients, over all ranks: sent to another rank, or read from or written to its "
              "memory",
              [](const StoredRun& run) {
                  return Json(per_epoch(run, sum_of(run.result, [](const WorkerEpoch& epoch) {
                                            return epoch.exchange.sent_bytes;
                                        })));
              }},
    RunColumn{
        "compute_to_communication", "",
        "ratio (forward + backward - hidden) / (wait + transfer + publish + hidden) of the "
        "columns above; empty for one worker process, which communicates with nobody",
        [](const StoredRun& run) { return optional_json(compute_to_communication(run.result)); }},
    RunColumn{"first_step_seconds", "s",
              "from the start of the program until the last worker began its first step, as it "
              "would be if this were the first run",
              [](const StoredRun& run) { return run.startup.at("first_step_seconds"); }},
    RunColumn{"cpu_seconds", "s", "on a CPU, sum over ranks and epochs",
              [](const StoredRun& run) {
                  return Json(sum_of(run.result, [](const WorkerEpoch& epoch) {
                      return epoch.usage.cpu_seconds;
                  }));
              }},
    RunColumn{"voluntary_switches", "", "of context, to wait; sum over ranks and epochs",
              [](const StoredRun& run) {
                  return count(sum_of(run.result, [](const WorkerEpoch& epoch) {
                      return epoch.usage.voluntary_switches;
                  }));
              }},
    RunColumn{"involuntary_switches", "",
              "of context, because another took the CPU; sum over ranks and epochs",
              [](const StoredRun& run) {
                  return count(sum_of(run.result, [](const WorkerEpoch& epoch) {
                      return epoch.usage.involuntary_switches;
                  }));
              }},
    RunColumn{"migrations", "",
              "to another CPU, sum over ranks and epochs; empty where the kernel does not tell",
              migrations},
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
              [](const StoredRun& run) { return Json(run.settings.data.bytes); }, true},
    RunColumn{"test_loss", "", "of the final parameters",
              [](const StoredRun& run) { return Json(run.result.test_loss); }},
    RunColumn{"test_accuracy", "in [0, 1]", "of the final parameters",
              [](const StoredRun& run) { return Json(run.result.test_accuracy); }},
    RunColumn{"checksum", "", "of the final parameters, 16 hexadecimal digits",
              [](const StoredRun& run) { return Json(run.result.checksum); }},
    RunColumn{"status", "", "`complete` or `failed`",
              [](const StoredRun& run) { return Json(run.status); }, true},
    RunColumn{"reason", "", "the message of a failed run; empty otherwise",
              [](const StoredRun& run) { return Json(run.reason); }, true},
};

const std::array kMeasuredOfEpoch{
    EpochColumn{"epoch", "", "from 1", [](const EpochRow& row) { return Json(row.epoch + 1); }},
    EpochColumn{"rank", "", "the worker's number; `serial` has one row for all it plays",
                [](const EpochRow& row) { return Json(row.report().rank); }},
    EpochColumn{"train_loss", "", "over all ranks, of the forward passes that trained",
                [](const EpochRow& row) {
                    return row.whole().images == 0 ? Json(nullptr) : Json(row.whole().train_loss);
                }},
    EpochColumn{"train_accuracy", "in [0, 1]", "likewise",
                [](const EpochRow& row) {
                    return row.whole().images == 0 ? Json(nullptr)
                                                   : Json(row.whole().train_accuracy);
                }},
    EpochColumn{"test_loss", "", "over the test set, after the epoch",
                [](const EpochRow& row) { return Json(row.whole().test_loss); }},
    EpochColumn{"test_accuracy", "in [0, 1]", "likewise",
                [](const EpochRow& row) { return Json(row.whole().test_accuracy); }},
    EpochColumn{"elapsed_seconds", "s",
                "from the start of the first epoch to the end of this one, evaluation included; "
                "the sum of `wall_seconds` so far",
                [](const EpochRow& row) {
                    double seconds = 0.0;
                    for (std::size_t i = 0; i <= row.epoch; ++i) {
                        seconds += row.report().epochs[i].wall_seconds;
                    }
                    return Json(seconds);
                }},
    EpochColumn{"trained_seconds", "s", "training steps of all epochs so far, on rank 0",
                [](const EpochRow& row) {
                    double seconds = 0.0;
                    for (std::size_t i = 0; i <= row.epoch; ++i) {
                        seconds += row.run.result.epochs[i].train_seconds;
                    }
                    return Json(seconds);
                }},
    EpochColumn{"images", "images", "trained on by this rank",
                [](const EpochRow& row) { return Json(row.mine().images); }},
    EpochColumn{"wall_seconds", "s",
                "of the epoch, training and evaluation; the sum of the next ten columns without "
                "`exchange_hidden_seconds`",
                [](const EpochRow& row) { return Json(row.mine().wall_seconds); }},
    EpochColumn{"load_seconds", "s", "taking batches", phase_of_epoch<Phase::kLoad>},
    EpochColumn{"forward_seconds", "s", "forward passes", phase_of_epoch<Phase::kForward>},
    EpochColumn{"backward_seconds", "s", "backward passes", phase_of_epoch<Phase::kBackward>},
    EpochColumn{"exchange_wait_seconds", "s", "exchange of gradients: waiting for another rank",
                part_of_epoch<&statistics::TimeParts::wait>},
    EpochColumn{"exchange_transfer_seconds", "s", "exchange of gradients: moving and adding",
                part_of_epoch<&statistics::TimeParts::transfer_exposed>},
    EpochColumn{"exchange_hidden_seconds", "s",
                "exchange between the layers of backward; a part of `backward_seconds`",
                part_of_epoch<&statistics::TimeParts::transfer_hidden>},
    EpochColumn{"update_seconds", "s", "the optimizer", phase_of_epoch<Phase::kUpdate>},
    EpochColumn{"publish_seconds", "s", "until all parameters are updated for this rank",
                phase_of_epoch<Phase::kPublish>},
    EpochColumn{"evaluate_seconds", "s", "test set", phase_of_epoch<Phase::kEvaluate>},
    EpochColumn{"other_seconds", "s", "all else", phase_of_epoch<Phase::kOther>},
    EpochColumn{"exchange_calls", "", "all-reduces that the worker blocked in",
                [](const EpochRow& row) { return Json(row.mine().exchange.calls); }},
    EpochColumn{"sent_bytes", "bytes",
                "of gradients: sent to another rank, or read from or written to its memory",
                [](const EpochRow& row) { return Json(row.mine().exchange.sent_bytes); }},
    EpochColumn{"late_at_exchange_steps", "steps",
                "in which this rank was the last to complete its gradients",
                [](const EpochRow& row) { return Json(row.mine().late_at_exchange.steps); }},
    EpochColumn{"late_at_exchange_seconds", "s",
                "by which it came after the last but one, over those steps",
                [](const EpochRow& row) { return Json(row.mine().late_at_exchange.seconds); }},
    EpochColumn{"late_at_publish_steps", "steps",
                "in which this rank was the last to complete its update; 0 in `procs`, whose ranks "
                "do not meet there",
                [](const EpochRow& row) { return Json(row.mine().late_at_publish.steps); }},
    EpochColumn{"late_at_publish_seconds", "s",
                "by which it came after the last but one, over those steps",
                [](const EpochRow& row) { return Json(row.mine().late_at_publish.seconds); }},
    EpochColumn{"cpu_seconds", "s", "on a CPU",
                [](const EpochRow& row) { return Json(row.mine().usage.cpu_seconds); }},
    EpochColumn{"voluntary_switches", "", "of context, to wait",
                [](const EpochRow& row) { return Json(row.mine().usage.voluntary_switches); }},
    EpochColumn{"involuntary_switches", "", "of context, because another took the CPU",
                [](const EpochRow& row) { return Json(row.mine().usage.involuntary_switches); }},
    EpochColumn{"migrations", "", "to another CPU; empty where the kernel does not tell",
                [](const EpochRow& row) { return optional_json(row.mine().usage.migrations); }},
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
        columns.push_back({row->name, row->unit, row->meaning,
                           [row](const StoredRun& run) { return row->write(run.settings); }, true});
        if (row->name != "workers") continue;
        columns.push_back({"repetition", "", "of this mode and worker count, from 1",
                           [](const StoredRun& run) { return Json(run.repetition); }, true});
        columns.push_back({"sequence", "",
                           "place among the sweep's runs as they were started, from 1",
                           [](const StoredRun& run) { return Json(run.sequence); }, true});
    }
    return columns;
}

std::vector<RunColumn> columns_of_run() {
    std::vector<RunColumn> columns = chosen();
    columns.insert(columns.end(), kMeasuredOfRun.begin(), kMeasuredOfRun.end());
    return columns;
}

std::vector<EpochColumn> columns_of_epoch() {
    std::vector<EpochColumn> columns;
    for (const RunColumn& column : chosen()) {
        columns.push_back({column.name, column.unit, column.meaning,
                           [value = column.value](const EpochRow& row) { return value(row.run); }});
    }
    columns.insert(columns.end(), kMeasuredOfEpoch.begin(), kMeasuredOfEpoch.end());
    return columns;
}

}  // namespace

std::span<const CsvColumn<StoredRun>> runs_csv_columns() {
    static const std::vector<RunColumn> columns = columns_of_run();
    return columns;
}

std::span<const CsvColumn<EpochRow>> epochs_csv_columns() {
    static const std::vector<EpochColumn> columns = columns_of_epoch();
    return columns;
}

}  // namespace dp::experiments
