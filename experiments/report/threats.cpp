#include "experiments/report/threats.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

/// A spread of repetitions beyond which other load on the machine is likely.
constexpr double kNoisySpread = 0.10;
/// A worker alone on a CPU that runs for less of its time shares it with something else.
constexpr double kBusyShare = 0.9;

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
    return json.is_string() ? json.get<std::string>() : json.dump();
}

void settings_differ(const Analysis& analysis, std::vector<Threat>& threats) {
    if (analysis.differences.empty()) return;
    std::vector<std::string> settings;
    for (const analysis::Difference& each : analysis.differences) {
        settings.push_back(fmt::format("{} ({})", each.setting, core::join(each.values)));
    }
    threats.push_back(
        {"Runs that cannot be compared",
         fmt::format("Not all runs had the same {}. Ratios between such runs are left out, and a "
                     "mode and N whose repetitions differ has no figures. Run all of them with "
                     "one command.",
                     core::join(settings, "; "))});
}

void failed_runs(const Analysis& analysis, std::vector<Threat>& threats) {
    const auto& failed = analysis.results.failed;
    if (failed.empty()) return;
    threats.push_back(
        {"Failed runs", fmt::format("{} run{} failed and {} left out, the first being {} with N = "
                                    "{}: {}",
                                    failed.size(), failed.size() == 1 ? "" : "s",
                                    failed.size() == 1 ? "is" : "are", failed.front().mode,
                                    failed.front().workers, failed.front().reason)});
}

void few_repetitions(const Analysis& analysis, std::vector<Threat>& threats) {
    const auto least = std::ranges::min_element(
        analysis.configurations, {}, [](const Configuration& each) { return each.runs.size(); });
    const std::size_t n = least->runs.size();
    if (n >= statistics::kFewestForBootstrap) return;
    threats.push_back(
        {"Few repetitions",
         fmt::format("{} has {} repetition{}. {} Use --reps {}.", least->name(), n,
                     n == 1 ? "" : "s",
                     n == 1 ? "One measurement says nothing of how sure it is, so no interval is "
                              "shown."
                            : "The range of so few holds the true median too rarely to be called "
                              "a 95 % interval, so medians have none.",
                     statistics::kFewestForBootstrap)});
}

void oversubscribed(const Analysis& analysis, std::vector<Threat>& threats) {
    std::vector<std::string> names;
    for (const Configuration& each : analysis.configurations) {
        if (each.oversubscribed) names.push_back(each.name());
    }
    if (names.empty()) return;
    const Json& cpus = analysis.results.runs.front().context.at("usable_cpus");
    threats.push_back(
        {"More workers than CPUs",
         fmt::format("{} ran on {} usable CPUs. Their workers take turns, so they "
                     "show how a model copes, not how it scales; they are marked, "
                     "and left out of fits and predictions.",
                     core::join(names, "; "), fmt::format("{:g}", cpus.get<double>()))});
}

void short_epochs(const Analysis& analysis, std::vector<Threat>& threats) {
    const Json& limit = analysis.results.runs.front().config.at("steps_limit");
    // Weak scaling sets the limit itself.
    if (limit.is_null() || analysis.results.runs.front().scaling == "weak") return;
    threats.push_back(
        {"Short epochs",
         fmt::format("Every epoch ended after {} steps. The figures are those of the first steps "
                     "after a cold start, and accuracies are those of a network trained on a part "
                     "of the data. Leave out --steps for whole epochs.",
                     text_of(limit))});
}

void effective_batch(const Analysis& analysis, std::vector<Threat>& threats) {
    std::set<std::size_t> batches;
    for (const StoredRun& run : analysis.results.runs) {
        batches.insert(run.batch_size * run.workers);
    }
    if (batches.size() < 2) return;
    threats.push_back(
        {"Different effective batches",
         fmt::format("A step takes {} to {} images over all workers. Larger batches make fewer "
                     "updates of the same images, so accuracies of different N answer different "
                     "questions; speeds do not suffer. Compare accuracies at equal "
                     "--global-batch.",
                     count(static_cast<double>(*batches.begin())),
                     count(static_cast<double>(*batches.rbegin())))});
}

void noise(const Analysis& analysis, std::vector<Threat>& threats) {
    const Configuration* worst = nullptr;
    double most = kNoisySpread;
    for (const Configuration& each : analysis.configurations) {
        if (!each.images_per_second || each.oversubscribed) continue;
        const statistics::Summary& rate = *each.images_per_second;
        const double spread = (rate.maximum - rate.minimum) / rate.median;
        if (spread > most) {
            most = spread;
            worst = &each;
        }
    }
    if (worst == nullptr) return;
    threats.push_back(
        {"Noise",
         fmt::format("Repetitions of {} differ by {} of their median in images/s. Something else "
                     "used the machine, or its clock changed: stop other programs, pin the clock "
                     "and repeat.",
                     worst->name(), percent(most, 0))});
}

/// One worker has a CPU to itself: what it does not get of it, others had.
void busy_machine(const Analysis& analysis, std::vector<Threat>& threats) {
    // A rank that sleeps on purpose is not on a CPU either.
    if (!analysis.results.runs.front().config.at("inject").is_null()) return;
    const Configuration* worst = nullptr;
    for (const Configuration& each : analysis.configurations) {
        if (!each.metrics || each.workers != 1 || each.oversubscribed) continue;
        if (worst == nullptr || each.metrics->cpu_share < worst->metrics->cpu_share) worst = &each;
    }
    if (worst == nullptr || worst->metrics->cpu_share >= kBusyShare) return;
    threats.push_back(
        {"A busy machine",
         fmt::format("{} ran on a CPU for {} of its time, and preempted or paging for the rest. "
                     "Other programs had the CPUs, so speedups are those of a shared machine, and "
                     "compute inflation includes time in which no worker ran: stop other programs "
                     "and repeat.",
                     worst->name(), percent(worst->metrics->cpu_share, 0))});
}

void quota(const Analysis& analysis, std::vector<Threat>& threats) {
    const Json& context = analysis.results.runs.front().context;
    const Json& limit = context.at("cpu_quota");
    if (limit.is_null()) return;
    threats.push_back(
        {"CPU quota", fmt::format("The control group may use {} CPUs. Beyond that all workers are "
                                  "stopped for a part of each period, which lengthens every phase.",
                                  text_of(limit))});
}

void injected(const Analysis& analysis, std::vector<Threat>& threats) {
    for (const StoredRun& run : analysis.results.runs) {
        const Json& fault = run.config.at("inject");
        if (fault.is_null()) continue;
        threats.push_back({"An injected fault",
                           fmt::format("Runs were slowed on purpose: --inject {}. Their speeds are "
                                       "those of the fault.",
                                       text_of(fault))});
        return;
    }
}

/// What the program told of the machine and of itself before it measured.
void warned(const Analysis& analysis, std::vector<Threat>& threats) {
    std::string text;
    for (const Json& warning : analysis.results.runs.front().context.value("warnings", Json())) {
        text += (text.empty() ? "" : "; ") + text_of(warning);
    }
    if (text.empty()) return;
    threats.push_back({"Warnings", fmt::format("Before the first run: {}.", text)});
}

void one_machine(const Analysis& analysis, std::vector<Threat>& threats) {
    if (!analysis.differences.empty()) return;
    threats.push_back(
        {"One machine, one network",
         fmt::format("All runs are of one machine ({}), of {} and of one seed. Another ratio of "
                     "computing to parameters, other caches or another memory give other "
                     "speedups.",
                     text_of(analysis.results.runs.front().context.at("cpu_model")),
                     text_of(analysis.results.runs.front().config.at("model")))});
}

}  // namespace

std::string brief(const Threat& threat) {
    const std::size_t end = std::min(threat.text.find(". "), threat.text.size() - 1);
    return fmt::format("{}: {}", threat.title, threat.text.substr(0, end + 1));
}

std::vector<Threat> find_threats(const Analysis& analysis) {
    std::vector<Threat> threats;
    for (const auto find :
         {settings_differ, injected, failed_runs, few_repetitions, busy_machine, noise,
          oversubscribed, short_epochs, quota, effective_batch, warned, one_machine}) {
        find(analysis, threats);
    }
    return threats;
}

}  // namespace dp::experiments::report
