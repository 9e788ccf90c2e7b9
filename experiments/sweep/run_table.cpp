#include "experiments/sweep/run_table.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "experiments/modes.hpp"
#include "experiments/statistics/scaling.hpp"
#include "experiments/statistics/summary.hpp"
#include "experiments/text/numbers.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments {
namespace {

using statistics::Interval;

/// The repetitions of one configuration.
struct Row {
    const core::RunConfig* config = nullptr;
    bool oversubscribed = false;
    std::map<std::size_t, const FinishedRun*> runs;  // by repetition

    [[nodiscard]] const core::RunResult& first() const { return runs.begin()->second->result; }
    [[nodiscard]] std::size_t effective_batch() const {
        return config->batch_size * config->workers;
    }
    [[nodiscard]] std::vector<double> rates() const {
        std::vector<double> rates;
        for (const auto& [repetition, run] : runs) {
            const double rate = run->result.images_per_second();
            if (rate > 0.0) rates.push_back(rate);
        }
        return rates;
    }
    [[nodiscard]] std::vector<double> seconds_per_image() const {
        std::vector<double> seconds = rates();
        for (double& value : seconds) value = 1.0 / value;
        return seconds;
    }
    [[nodiscard]] double median_train_seconds() const {
        std::vector<double> seconds;
        for (const auto& [repetition, run] : runs) seconds.push_back(run->result.train_seconds());
        return statistics::median(seconds);
    }
};

std::vector<Row> rows_of(const std::vector<core::RunConfig>& configurations,
                         const std::vector<FinishedRun>& runs) {
    std::vector<Row> rows;
    for (const core::RunConfig& config : configurations) {
        Row row{&config, false, {}};
        for (const FinishedRun& run : runs) {
            if (run.config.mode != config.mode || run.config.workers != config.workers) continue;
            row.runs[run.repetition] = &run;
            row.oversubscribed = run.oversubscribed;
        }
        if (!row.runs.empty()) rows.push_back(row);
    }
    return rows;
}

const Row* find_row(const std::vector<Row>& rows, std::string_view mode, std::size_t workers) {
    const auto found = std::ranges::find_if(rows, [&](const Row& row) {
        return row.config->mode == mode && row.config->workers == workers;
    });
    return found == rows.end() ? nullptr : &*found;
}

std::string per_second(double value) {
    return with_separators(static_cast<std::size_t>(value + 0.5));
}

std::string text_of(const std::optional<Interval>& interval, const auto& format) {
    return interval ? fmt::format("{} to {}", format(interval->low), format(interval->high)) : "";
}

std::string two_digits(double value) { return fmt::format("{:.2f}", value); }

std::string text_of(const Row& row, const Row* baseline, bool intervals) {
    const std::vector<double> rates = row.rates();
    std::string rate, rate_range, speedup, speedup_range, efficiency;
    if (!rates.empty()) {
        const statistics::Summary summary = statistics::summarise(rates);
        rate = per_second(summary.median);
        rate_range = text_of(summary.interval95, per_second);
    }
    // Virtual workers share one core: they have no speedup to speak of.
    const bool comparable = row.config->mode != "serial" || row.config->workers == 1;
    if (comparable && baseline != nullptr && !rates.empty() && !baseline->rates().empty()) {
        const statistics::Scaling scaling = statistics::scaling_of(
            baseline->seconds_per_image(), row.seconds_per_image(), row.config->workers);
        speedup = two_digits(scaling.speedup.value);
        if (&row != baseline) speedup_range = text_of(scaling.speedup.interval95, two_digits);
        efficiency = fmt::format("{:.0f} %", 100.0 * scaling.efficiency.value);
    }
    if (!intervals) rate_range = speedup_range = "";
    return fmt::format(
        "{:<8} {:>3}{}  {:>8.2f}  {:>9}{}  {:>7}{}  {:>10}  {:>6.2f} %  {}{}", row.config->mode,
        row.config->workers, intervals ? fmt::format("  {:>4}", row.runs.size()) : "",
        row.median_train_seconds(), rate, intervals ? fmt::format("  {:>16}", rate_range) : "",
        speedup, intervals ? fmt::format("  {:>12}", speedup_range) : "", efficiency,
        100.0 * row.first().test_accuracy, row.first().checksum,
        row.oversubscribed ? "  oversubscribed" : "");
}

/// The repetitions that both have, as pairs.
std::string compare(const Row& threads, const Row& procs) {
    std::vector<double> of_threads, of_procs;
    for (const auto& [repetition, run] : threads.runs) {
        const auto other = procs.runs.find(repetition);
        if (other == procs.runs.end()) continue;
        of_threads.push_back(run->result.images_per_second());
        of_procs.push_back(other->second->result.images_per_second());
    }
    if (of_threads.size() < 2 || std::ranges::min(of_threads) <= 0.0) return {};
    const auto ratio = statistics::paired_ratio(of_threads, of_procs);
    return fmt::format(
        "threads over procs at N = {}: {:.3f} ({}, 95 % interval {:.3f} to {:.3f}, {} pairs)",
        threads.config->workers, ratio.ratio,
        !ratio.difference_shown ? "no difference shown"
        : ratio.ratio > 1.0     ? "threads are faster"
                                : "procs are faster",
        ratio.interval95->low, ratio.interval95->high, ratio.pairs);
}

}  // namespace

Verdict compare_checksums(const std::vector<FinishedRun>& runs) {
    std::map<std::pair<std::size_t, core::SumOrder>, const FinishedRun*> first;
    std::set<std::size_t> compared;
    for (const FinishedRun& run : runs) {
        const std::size_t workers = run.config.workers;
        const core::SumOrder order = sum_order_of(run.config);
        if (!core::promise_equal_bits(order, order)) continue;
        const FinishedRun& same = *first.try_emplace({workers, order}, &run).first->second;
        if (&same == &run) continue;
        if (same.config.mode != run.config.mode) compared.insert(workers);
        if (same.result.checksum == run.result.checksum) continue;
        const bool one_mode = same.config.mode == run.config.mode;
        return {false, fmt::format("{} end with different parameters at N = {}: no row can be "
                                   "trusted; report this as a bug",
                                   one_mode ? "repetitions of " + run.config.mode
                                            : same.config.mode + " and " + run.config.mode,
                                   workers)};
    }
    if (compared.empty()) return {};
    std::string counts;
    for (const std::size_t workers : compared) {
        counts += (counts.empty() ? "" : ", ") + fmt::to_string(workers);
    }
    return {true, "Checked: modes with the same N end with equal parameters, bit for bit (N = " +
                      counts + ")."};
}

void print_table(const std::vector<core::RunConfig>& configurations,
                 const std::vector<FinishedRun>& runs, const std::string& checked) {
    const std::vector<Row> rows = rows_of(configurations, runs);
    const Row* const baseline = find_row(rows, "serial", 1);
    const bool repeated =
        std::ranges::any_of(rows, [](const Row& row) { return row.runs.size() > 1; });

    print_line("");
    print_line(repeated ? "mode       N  reps   train s   images/s        95 % range  speedup    "
                          "95 % range  efficiency  test acc  checksum"
                        : "mode       N   train s   images/s  speedup  efficiency  test acc  "
                          "checksum");
    for (const Row& row : rows) print_line(text_of(row, baseline, repeated));
    if (!checked.empty()) print_line(checked);
    for (const Row& row : rows) {
        if (row.config->mode != "threads" || row.config->workers < 2) continue;
        const Row* const procs = find_row(rows, "procs", row.config->workers);
        const std::string line = procs == nullptr ? "" : compare(row, *procs);
        if (!line.empty()) print_line(line);
    }
    print_line("");
    print_line(baseline == nullptr
                   ? "Speedup not shown: its baseline, serial at N = 1, is not among these runs; "
                     "add serial to --mode."
                   : "Speedup: images/s over those of serial at N = 1. Efficiency: speedup / N.");
    if (repeated) {
        print_line("Figures are medians over the repetitions; ranges need five of them.");
    }
    if (std::ranges::any_of(rows, [&](const Row& row) {
            return row.effective_batch() != rows.front().effective_batch();
        })) {
        print_line(
            "Each worker has the same batch, so more workers make larger updates from as many "
            "images: compare accuracies at equal --global-batch.");
    }
    if (const auto& limit = configurations.front().steps_limit; limit) {
        print_line(fmt::format("Each epoch ended after {} steps at most.", *limit));
    }
    if (std::ranges::any_of(rows, &Row::oversubscribed)) {
        print_line(
            "Rows marked oversubscribed had more workers than usable CPUs: they show "
            "behaviour, not scaling.");
    }
}

}  // namespace dp::experiments
