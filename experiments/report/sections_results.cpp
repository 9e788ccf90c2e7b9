// Results, strategies, metrics, speedup and efficiency, breakdown, learning curves, memory,
// scheduling.
#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "experiments/modes.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/sections.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

const Row& add_row(Table& table, const Configuration& each, std::vector<std::string> cells) {
    cells.insert(cells.begin(), {each.design, fmt::to_string(each.workers)});
    table.rows.push_back({std::move(cells), each.oversubscribed});
    return table.rows.back();
}

/// A table whose rows are configurations.
Table table_of(std::string caption, std::vector<Column> columns) {
    columns.insert(columns.begin(), {{"design", Align::kLeft}, {"N"}});
    return {std::move(caption), std::move(columns), {}, kOversubscribedMark};
}

/// " (40 steps an epoch)" when --steps limits them.
std::string steps_note(const Analysis& analysis) {
    const auto& limit = analysis.results.runs.front().settings.config.steps_limit;
    return limit ? fmt::format("; epochs of {} steps", *limit) : "";
}

std::string if_any(const std::optional<statistics::Summary>& summary, const auto& format) {
    return summary ? with_interval(*summary, format) : "";
}

std::string accuracy(const Configuration& each) {
    const core::RunResult& result = each.runs.front().result;
    return result.epochs.empty() ? "" : percent(result.test_accuracy, 2);
}

std::vector<const Configuration*> largest_of_all(const Analysis& analysis) {
    std::vector<const Configuration*> chosen;
    for (const std::string& mode : analysis.designs) {
        const Configuration* each =
            mode_of(mode).takes_turns ? analysis.find(mode, 1) : analysis.largest(mode);
        if (each != nullptr) chosen.push_back(each);
    }
    return chosen;
}

Table waterfall_table(const Analysis& analysis) {
    Table table{"What each cause adds to the ideal time, or saves: medians of the repetitions" +
                    brackets_note(analysis),
                {{"design", Align::kLeft}, {"N"}}};
    for (const auto& row : statistics::kCauses) table.columns.push_back({std::string(row.name)});
    for (const ModeWaterfall& each : analysis.waterfalls) {
        std::vector<std::string> cells{each.design, fmt::to_string(each.waterfall.workers)};
        for (const auto& part : each.waterfall.parts) {
            cells.push_back(if_any(part.repetitions, seconds));
        }
        table.rows.push_back({std::move(cells)});
    }
    return table;
}

/// What else went on during the runs, as far as the system told of all of them.
void add_conditions(Document& document, const Analysis& analysis) {
    Table table = table_of("While the runs went on: medians" + brackets_note(analysis),
                           {{"load average before"},
                            {"CPU time of others"},
                            {"stolen by the hypervisor"},
                            {"stopped by the quota"},
                            {"clock before, MHz"}});
    for (const Configuration& each : analysis.configurations) {
        const auto cell = [&](std::optional<double> Conditions::*field, const auto& format) {
            std::vector<double> values;
            for (const Run& run : each.runs) {
                const auto value = run.conditions ? *run.conditions.*field : std::nullopt;
                if (!value) return std::string();
                values.push_back(*value);
            }
            return with_interval(statistics::summarise(values), format);
        };
        if (!each.runs.front().conditions) continue;
        add_row(table, each,
                {cell(&Conditions::load_average, number),
                 cell(&Conditions::others_cpu_seconds, seconds),
                 cell(&Conditions::steal_seconds, seconds),
                 cell(&Conditions::throttled_seconds, seconds), cell(&Conditions::cpu_mhz, count)});
    }
    document.add_if_any(table);
}

}  // namespace

void add_results(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Results", "results"});
    Table table = table_of(
        fmt::format("One epoch of {} images: medians of n repetitions{}{}",
                    count(analysis.work_images), brackets_note(analysis), steps_note(analysis)),
        {{"n"}, {"epoch, s"}, {"images/s"}, {"speedup"}, {"efficiency"}, {"test accuracy"}});
    for (const Configuration& each : analysis.configurations) {
        const auto& scaling = each.scaling;
        add_row(table, each,
                {fmt::to_string(each.runs.size()), if_any(each.work_seconds, 2),
                 if_any(each.images_per_second, count),
                 scaling ? with_interval(scaling->speedup, 2) : "",
                 scaling ? percent_with_interval(scaling->efficiency) : "", accuracy(each)});
    }
    document.add(table);
}

void add_strategies(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    const auto chosen = largest_of_all(analysis);
    if (chosen.size() < 2) return;
    document.add(Heading{2, "Strategies side by side", "strategies"});
    Table table = table_of(
        "Each design with the most workers that have a CPU each: medians" + brackets_note(analysis),
        {{"images/s"},
         {"speedup"},
         {"step"},
         {"exchange a step"},
         {"memory"},
         {"gradients summed", Align::kLeft},
         {"updates", Align::kLeft}});
    for (const Configuration* each : chosen) {
        const core::RunResult& result = each->runs.front().result;
        const double steps = static_cast<double>(each->steps_per_epoch * result.epochs.size());
        const bool several = result.workers.size() > 1;
        add_row(table, *each,
                {if_any(each->images_per_second, count),
                 each->scaling ? with_interval(each->scaling->speedup, 2) : "",
                 each->metrics ? with_interval(each->metrics->iteration_seconds, seconds) : "",
                 each->metrics && several
                     ? with_interval(scaled(each->metrics->exchange_seconds, 1.0 / steps), seconds)
                     : "",
                 each->memory ? with_interval(each->memory->total_bytes, bytes) : "",
                 several ? result.reduction : "", result.update_kind});
    }
    document.add(table);
}

void add_metrics(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Metrics", "metrics"});
    document.add(Paragraph{
        "Sent are the bytes of gradients that a worker sends to others or reads from them. "
        "Exchange "
        "time is of one worker (mean), over the whole run: transfer with its additions, "
        "exposed and hidden, and waiting for others, also until all have updated. "
        "Compute-to-communication is forward and backward over that. Effective speedup is that of "
        "whole runs, start-up and evaluation included, per image trained on. The mean iteration "
        "leaves cold steps out, as images/s do; exchange and whole runs include them."});
    Table table = table_of("Metrics: medians" + brackets_note(analysis) + steps_note(analysis),
                           {{"exchanges an epoch"},
                            {"sent a step"},
                            {"exchange time"},
                            {"mean iteration"},
                            {"compute / communication"},
                            {"effective speedup"}});
    for (const Configuration& each : analysis.configurations) {
        if (!each.metrics) continue;
        const Metrics& of = *each.metrics;
        const bool several = each.runs.front().result.workers.size() > 1;
        add_row(table, each,
                {several ? count(of.exchange_calls_per_epoch) : "",
                 several && each.steps_per_epoch > 0 ? bytes(each.sent_bytes_per_step()) : "",
                 several ? with_interval(of.exchange_seconds, seconds) : "",
                 with_interval(of.iteration_seconds, seconds),
                 if_any(of.compute_to_communication, number), if_any(of.effective_speedup, 2)});
    }
    document.add(table);
    material.add_figure(document, "metrics");
}

void add_scaling(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    if (std::ranges::none_of(analysis.configurations,
                             [](const Configuration& each) { return each.scaling.has_value(); })) {
        return;
    }
    document.add(Heading{2, "Speedup and efficiency", "speedup"});
    material.add_figure(document, "speedup");
    material.add_figure(document, "efficiency");
    Table table = table_of("The serial fraction that would explain each speedup alone: medians" +
                               brackets_note(analysis),
                           {{"speedup"}, {"Karp-Flatt e"}});
    for (const Configuration& each : analysis.configurations) {
        if (!each.scaling || !each.scaling->karp_flatt) continue;
        add_row(
            table, each,
            {with_interval(each.scaling->speedup, 2), with_interval(*each.scaling->karp_flatt, 3)});
    }
    document.add_if_any(table);
}

void add_breakdown(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    document.add(Heading{2, "Where the time goes", "breakdown"});
    Table table =
        table_of("Milliseconds a step, mean over the workers: medians" + brackets_note(analysis),
                 {{"load"},
                  {"forward"},
                  {"backward"},
                  {"transfer, hidden"},
                  {"transfer, exposed"},
                  {"wait"},
                  {"update"},
                  {"publish"},
                  {"other"}});
    for (const Configuration& each : analysis.configurations) {
        if (!each.images_per_second || each.steps_per_epoch == 0) continue;
        using statistics::TimeParts;
        std::vector<std::string> cells;
        for (const auto part :
             {&TimeParts::load, &TimeParts::forward, &TimeParts::backward,
              &TimeParts::transfer_hidden, &TimeParts::transfer_exposed, &TimeParts::wait,
              &TimeParts::update, &TimeParts::publish, &TimeParts::other}) {
            cells.push_back(with_interval(scaled(each.step_seconds(part), 1e3), 2));
        }
        add_row(table, each, std::move(cells));
    }
    document.add(Paragraph{
        "Exposed transfer is summing and sending gradients after backward; hidden transfer is the "
        "same between the layers of backward, which it lengthens on the worker's own core. Wait "
        "is for other workers in the exchange, publish until all have updated. Cold steps are "
        "included."});
    material.add_figure(document, "seconds");
    material.add_figure(document, "breakdown");
    document.add(table);

    if (!analysis.waterfalls.empty()) {
        document.add(Heading{3, "From ideal to measured time", "waterfall"});
        document.add(Paragraph{fmt::format(
            "The waterfall divides what is lost against T(1) / N by cause; its parts sum to the "
            "difference. Times are for {} images, here with start-up, spread over the epochs. "
            "Compute inflation is CPU time of forward and backward. Preemption is the time in "
            "which a worker had those to do and no CPU, with what others waited for it at the "
            "exchange. A cause is named as the main one where Student's test over the repetitions "
            "shows, with 95 % for all causes together, that it adds time and that it adds more "
            "than "
            "the next. Cold steps and start-up are included, which images/s leave out.",
            count(analysis.work_images))});
        List list;
        for (const ModeWaterfall& each : analysis.waterfalls) {
            list.items.emplace_back(describe(each));
        }
        document.add(list);
        material.add_figure(document, "waterfall");
        document.add(waterfall_table(analysis));
    }
}

void add_learning(Document& document, const Material& material) {
    const bool drawn =
        std::ranges::find(material.figures, "learning", &Figure::name) != material.figures.end();
    if (!drawn) return;
    document.add(Heading{2, "Learning curves", "learning"});
    material.add_figure(document, "learning");
}

void add_memory(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    Table table = table_of(
        "Physical memory after the last epoch, MB (1e6 bytes), over all processes of a run; total "
        "and private are medians" +
            brackets_note(analysis),
        {{"processes"},
         {"total"},
         {"private"},
         {"parameters"},
         {"gradients"},
         {"optimizer"},
         {"activations"},
         {"data"},
         {"rest"}});
    const auto mb = [](double value) { return fmt::format("{:.1f}", value / 1e6); };
    for (const Configuration& each : analysis.configurations) {
        if (!each.memory) continue;
        const Memory& of = *each.memory;
        add_row(table, each,
                {fmt::to_string(of.processes), with_interval(of.total_bytes, mb),
                 with_interval(of.private_bytes, mb), mb(of.parameters_bytes),
                 mb(of.gradients_bytes), mb(of.optimizer_bytes), mb(of.activations_bytes),
                 mb(of.data_bytes), of.rest_bytes ? mb(*of.rest_bytes) : ""});
    }
    if (table.rows.empty()) return;
    document.add(Heading{2, "Memory", "memory"});
    document.add(Paragraph{
        "The total counts a page that several processes share once (the sum of their proportional "
        "set sizes), with the process that started the workers. Private pages are mapped by one "
        "process alone. Rest is code, libraries, oneDNN's own buffers and stacks."});
    material.add_figure(document, "memory");
    document.add(table);
}

void add_scheduling(Document& document, const Material& material) {
    const Analysis& analysis = material.analysis;
    Table table = table_of("Of one worker, mean: medians" + brackets_note(analysis),
                           {{"on a CPU"},
                            {"voluntary switches per step"},
                            {"involuntary switches per step"},
                            {"migrations an epoch"},
                            {"start-up"}});
    for (const Configuration& each : analysis.configurations) {
        if (!each.metrics) continue;
        const Metrics& of = *each.metrics;
        add_row(
            table, each,
            {percent_with_interval(of.cpu_share),
             with_interval(of.voluntary_switches_per_step, number),
             with_interval(of.involuntary_switches_per_step, number),
             if_any(of.migrations_per_epoch, number), with_interval(of.start_up_seconds, seconds)});
    }
    if (table.rows.empty()) return;
    document.add(Heading{2, "Scheduling", "scheduling"});
    document.add(Paragraph{
        "Context switches as the kernel counts them: a worker gives its CPU up when it waits, and "
        "loses it when it is preempted. Evaluation is included. Start-up ends with the last "
        "worker's first step."});
    document.add(table);
    add_conditions(document, analysis);
}

}  // namespace dp::experiments::report
