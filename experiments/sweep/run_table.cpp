#include "experiments/sweep/run_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "experiments/modes.hpp"
#include "experiments/report/findings.hpp"
#include "experiments/report/threats.hpp"
#include "experiments/text/numbers.hpp"
#include "experiments/text/output.hpp"

namespace dp::experiments {
namespace {

using analysis::Analysis;
using analysis::Configuration;
using statistics::Summary;

/// Of one repetition each.
constexpr const char* kSingle = "{:<{}} {:>3}{:<1} {:>8} {:>9} {:>8} {:>10} {:>9}  {}";
constexpr const char* kRepeated = "{:<{}} {:>3}{:<1} {:>4} {:>8} {:>16} {:>8} {:>13} {:>11}";

std::string range(const Summary& summary, const auto& format) {
    const auto& interval = summary.interval;
    return interval ? fmt::format("{} to {}", format(interval->low), format(interval->high)) : "";
}

std::string row_of(const Configuration& each, std::size_t width, bool repeated) {
    const auto two_digits = [](double value) { return fmt::format("{:.2f}", value); };
    const auto& rate = each.images_per_second;
    const auto& scaling = each.scaling;
    const std::string images = rate ? count(rate->median) : "";
    const std::string speedup = scaling ? two_digits(scaling->speedup.median) : "";
    const std::string efficiency = scaling ? percent(scaling->efficiency.median, 0) : "";
    const char* const mark = each.oversubscribed ? "*" : "";
    if (repeated) {
        return fmt::format(kRepeated, each.design, width, each.workers, mark, each.runs.size(),
                           images, rate ? range(*rate, count) : "", speedup,
                           scaling ? range(scaling->speedup, two_digits) : "", efficiency);
    }
    const core::RunResult& result = each.runs.front().result;
    const bool ordered = has_order(each.design, result.reduction, each.workers);
    return fmt::format(kSingle, each.design, width, each.workers, mark,
                       each.work_seconds ? two_digits(each.work_seconds->median) : "", images,
                       speedup, efficiency, percent(result.test_accuracy, 2),
                       ordered ? result.checksum : "unordered");
}

/// Tells what the intervals are, where the repetitions are enough for one with 95 %.
void tell_intervals(const Analysis& analysis) {
    const std::string names = report::interval_names(analysis);
    if (names == interval_name(2)) return;  // as their column says
    print_line(fmt::format("Range: {}.", names));
}

}  // namespace

void print_table(const Analysis& analysis) {
    const auto& all = analysis.configurations;
    const bool repeated =
        std::ranges::any_of(all, [](const Configuration& each) { return each.runs.size() > 1; });
    const std::size_t width = design_width(analysis.designs);
    print_line("");
    print_line(repeated ? fmt::format(kRepeated, "design", width, "N", "", "reps", "images/s",
                                      "range", "speedup", "range", "efficiency")
                        : fmt::format(kSingle, "design", width, "N", "", "epoch s", "images/s",
                                      "speedup", "efficiency", "test acc", "checksum"));
    for (const Configuration& each : all) print_line(row_of(each, width, repeated));
    print_line("");
    if (repeated) tell_intervals(analysis);
    if (std::ranges::any_of(all, &Configuration::oversubscribed)) {
        print_line("* oversubscribed: more workers than usable CPUs.");
    }
    print_line(fmt::format(
        "{} Speedup: T(1) / T(N), T(N) being the training time for {} images, one epoch of {}{}. "
        "Efficiency: speedup / N.",
        report::describe_baseline(analysis), count(analysis.work_images), analysis.work_of,
        repeated ? ", and of repetitions the median" : ""));
    for (const std::string& finding : report::find_findings(analysis)) print_line(finding);
    for (const report::Threat& threat : report::find_threats(analysis)) {
        print_line(report::brief(threat));
    }
}

}  // namespace dp::experiments
