#include "experiments/sweep/console.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/join.hpp"
#include "experiments/machine/binding.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/sweep/time_left.hpp"
#include "experiments/text/numbers.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kRefresh = std::chrono::milliseconds(200);

double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

/// What the console says in its own words.
constexpr std::array<std::string_view, 8> kSaid{"model",         "dataset",    "epochs",
                                                "steps_limit",   "batch_size", "optimizer",
                                                "learning_rate", "reduction"};

/// ", --overlap off": what else differs from the default and changes speed or bits.
std::string changes_of(const core::RunConfig& config) {
    const RunSettings run{config, {}, {}, {}};
    std::string text;
    for (const Setting* row : changed_settings(run)) {
        const bool said = std::ranges::find(kSaid, row->name) != kSaid.end();
        if (row->effect != Effect::kNothing && !said) text += ", " + option_text(*row, run);
    }
    return text;
}

}  // namespace

void Console::print_machine(const Machine& machine) {
    if (options_.quiet) return;
    print_line(
        fmt::format("host      {}, {}, {}", machine.host, machine.cpu_model, machine.kernel));
    print_line(fmt::format(
        "cpus      {:g} usable: CPUs {}, {}", machine.usable_cpus(), cpu_list(machine.affinity),
        machine.cpu_quota ? fmt::format("control group quota {:g}", *machine.cpu_quota)
                          : "no control group quota"));
    print_line(fmt::format("onednn    {}, {} runtime, instruction set {}", machine.onednn_version,
                           machine.onednn_runtime, machine.onednn_isa));
    const std::string variables = core::join(
        machine.environment, " ", [](const auto& each) { return each.first + "=" + each.second; });
    if (!variables.empty()) print_line("env       " + variables);
}

void Console::print_data(const core::Dataset& data, const core::ModelSpec& model) {
    if (options_.quiet) return;
    print_line(fmt::format("data      {}: {} training and {} test images, {} x {} x {} ({})",
                           data.name, with_separators(data.train.size()),
                           with_separators(data.test.size()), data.shape().channels,
                           data.shape().height, data.shape().width, data.source));
    print_line(fmt::format("network   {}: {} parameters; {}", model.name,
                           with_separators(model.parameters), model.description));
}

void Console::begin_run(const core::RunConfig& config, std::size_t steps_per_epoch,
                        bool oversubscribed, RunPlace place) {
    config_ = config;
    place_ = std::move(place);
    epoch_start_ = {};
    if (!options_.quiet) print_plan(steps_per_epoch, oversubscribed);
    show_progress({});
}

void Console::print_plan(std::size_t steps_per_epoch, bool oversubscribed) const {
    const core::RunConfig& config = config_;
    const auto& optimizer = config.optimizer;
    const Mode& mode = mode_of(config.mode);
    const std::size_t ranks = mode.ranks(config.workers);
    const std::size_t threads = config.workers / ranks;
    const bool turns = mode.takes_turns && ranks > 1;
    print_line(fmt::format(
        "plan      {}: {} {}worker{} x {} thread{}, batch {} per {}, {} effective, {} updates per "
        "epoch, {} epoch{}, {} lr {:g}, reduction {}{}{}",
        config.mode, ranks, turns ? "virtual " : "", ranks == 1 ? "" : "s", threads,
        threads == 1 ? "" : "s", config.batch_size, config.shards ? "shard" : "worker",
        global_batch(config), steps_per_epoch, config.epochs, config.epochs == 1 ? "" : "s",
        optimizer.name, optimizer.learning_rate, config.reduction, changes_of(config),
        oversubscribed ? " (oversubscribed)" : ""));
}

void Console::on_worker_start(std::size_t rank, int pid) {
    if (options_.verbose) {
        spdlog::info("{} worker {} of {} started, pid {}", config_.mode, rank, config_.workers,
                     pid);
    }
}

void Console::on_step(std::size_t epoch, std::size_t step, std::size_t steps, std::size_t images) {
    if (!progress_.shown()) return;
    const auto now = Clock::now();
    if (step == 1 || epoch_start_ == Clock::time_point{}) {
        // Counting starts after the first step, which is slower than the others.
        epoch_start_ = last_progress_ = now;
        return;
    }
    if (now - last_progress_ < kRefresh) return;
    last_progress_ = now;
    const double per_step = seconds_between(epoch_start_, now) / static_cast<double>(step - 1);
    const double images_per_step = static_cast<double>(images) / static_cast<double>(step);
    const auto all_steps = static_cast<double>(steps * config_.epochs);
    const auto done = static_cast<double>(steps * epoch + step);
    double left = per_step * (all_steps - done);
    if (place_.seconds_after) left += place_.seconds_after(per_step * all_steps);
    show_progress({duration_text(left) + " left",
                   fmt::format("epoch {}/{}", epoch + 1, config_.epochs),
                   fmt::format("step {}/{}", step, steps),
                   fmt::format("{} images/s", count(images_per_step / per_step))});
}

void Console::show_progress(std::vector<std::string> more) const {
    more.insert(more.begin(), fmt::format("{}, N = {}", design_of(config_), config_.workers));
    if (place_.count > 1) {
        more.front().insert(0, fmt::format("run {}/{}, ", place_.number, place_.count));
    }
    progress_.show(more);
}

void Console::on_epoch(std::size_t epoch, const core::EpochResult& result) {
    progress_.clear();
    if (options_.quiet) return;
    // Without a step there is neither a training loss nor an accuracy.
    const bool trained = result.images != 0;
    print_line(fmt::format(
        "Epoch [{:2}/{}] | Loss: {} | Train Acc: {} | Test Acc: {:.1f}% | Time: {:.1f}s", epoch + 1,
        config_.epochs, trained ? fmt::format("{:.2f}", result.train_loss) : "-",
        trained ? fmt::format("{:.1f}%", 100.0 * result.train_accuracy) : "-",
        100.0 * result.test_accuracy, result.train_seconds));
}

void Console::print_summary(const core::RunResult& result, bool oversubscribed) {
    const core::PhaseSeconds phases = result.mean_phase_seconds();
    const double train = result.train_seconds();
    if (result.images_per_second() > 0.0) {
        const std::size_t cold = result.cold_steps;
        print_line(fmt::format(
            "speed     {} images/s over all workers{}{}", count(result.images_per_second()),
            oversubscribed ? " (oversubscribed)" : "",
            cold == 0 ? "" : fmt::format(", without {} cold step{}", cold, cold == 1 ? "" : "s")));
    }
    double evaluation = 0.0;
    for (const core::EpochResult& epoch : result.epochs) evaluation += epoch.evaluation_seconds;
    print_line(fmt::format(
        "time      {:.1f} s in all: {:.1f} s training, {:.1f} s evaluation, "
        "{:.1f} s set-up and end",
        result.total_seconds, train, evaluation, result.total_seconds - train - evaluation));
    if (train > 0.0) {
        const std::size_t count = result.workers.size();
        std::string split;
        for (const core::Phase phase :
             {core::Phase::kLoad, core::Phase::kForward, core::Phase::kBackward,
              core::Phase::kExchange, core::Phase::kUpdate, core::Phase::kPublish,
              core::Phase::kOther}) {
            const double seconds = phases[static_cast<std::size_t>(phase)];
            split += fmt::format(", {} {:.1f} %", core::name_of(phase), 100.0 * seconds / train);
        }
        print_line(fmt::format("split     training{}{}",
                               count > 1 ? fmt::format(" (mean of {} workers)", count) : "",
                               split.replace(0, 1, ":")));
    }
    print_line(fmt::format("test      accuracy {:.2f} %, loss {:.4f}", 100.0 * result.test_accuracy,
                           result.test_loss));
    const auto kind = std::ranges::find(core::kUpdateKindNames, result.update_kind);
    const auto index = static_cast<std::size_t>(kind - core::kUpdateKindNames.begin());
    const bool ordered = has_order(config_.mode, result.reduction, config_.workers);
    print_line(fmt::format(
        "checksum  {} of the parameters; reduction={}; update={}: {}{}", result.checksum,
        result.reduction, result.update_kind, core::kUpdateKindSentences.at(index),
        ordered ? "" : "; unordered: another run may end with another checksum"));
}

}  // namespace dp::experiments
