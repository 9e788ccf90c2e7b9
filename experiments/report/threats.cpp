#include "experiments/report/threats.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "core/base/join.hpp"
#include "experiments/modes.hpp"
#include "experiments/options/injection.hpp"
#include "experiments/text/numbers.hpp"

namespace dp::experiments::report {

using namespace analysis;

namespace {

/// A spread of repetitions beyond which other load on the machine is likely.
constexpr double kNoisySpread = 0.10;
/// A worker alone on a CPU that runs for less of its time shares it with something else.
constexpr double kBusyShare = 0.9;
/// Of a CPU, on average; less is rounding of the kernel's clock ticks and the system's own work.
constexpr double kTakenShare = 0.1;

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
    return json.is_string() ? json.get<std::string>() : json.dump();
}

const Json& context_of(const Analysis& analysis) { return analysis.results.runs.front().context; }

/// Why each applies here, and what to do; empty where it does not.
std::string settings_differ(const Analysis& analysis) {
    if (analysis.differences.empty()) return "";
    return fmt::format(
        "Not all runs had the same {}. Ratios between such runs are left out, and a design and N "
        "whose repetitions differ has no figures. Run all of them with one command.",
        core::join(analysis.differences, "; ", [](const auto& each) {
            return fmt::format("{} ({})", each.setting, core::join(each.values));
        }));
}

std::string injected(const Analysis& analysis) {
    for (const Run& run : analysis.results.runs) {
        const auto& delay = run.settings.config.delay;
        if (!delay) continue;
        return fmt::format(
            "Runs were slowed on purpose: --inject {}. Their speeds are those of the fault.",
            to_spec(*delay));
    }
    return "";
}

std::string failed_runs(const Analysis& analysis) {
    const auto& failed = analysis.results.failed;
    if (failed.empty()) return "";
    return fmt::format("{} run{} failed and {} left out, the first being {} with N = {}: {}",
                       failed.size(), failed.size() == 1 ? "" : "s",
                       failed.size() == 1 ? "is" : "are", failed.front().mode(),
                       failed.front().workers(), failed.front().failure->reason);
}

std::string few_repetitions(const Analysis& analysis) {
    const auto least = std::ranges::min_element(
        analysis.configurations, {}, [](const Configuration& each) { return each.runs.size(); });
    const std::size_t n = least->runs.size();
    if (n >= statistics::kFewestForInterval) return "";
    return fmt::format("{} has {} repetition{}. {} Use --reps {}.", least->name(), n,
                       n == 1 ? "" : "s",
                       n == 1 ? std::string("One measurement says nothing of how sure it is, so "
                                            "no interval is shown.")
                              : fmt::format("Their range, shown in brackets, holds the true "
                                            "median with {}, so it is no 95 % interval.",
                                            percent(statistics::order_interval(n).coverage)),
                       statistics::kFewestForInterval);
}

/// One worker has a CPU to itself: what it does not get of it, others had.
std::string busy_machine(const Analysis& analysis) {
    // A rank that sleeps on purpose is not on a CPU either.
    if (analysis.results.runs.front().settings.config.delay) return "";
    const Configuration* worst = nullptr;
    for (const Configuration& each : analysis.configurations) {
        if (!each.metrics || each.workers != 1 || each.oversubscribed) continue;
        if (worst == nullptr || each.metrics->cpu_share.median < worst->metrics->cpu_share.median)
            worst = &each;
    }
    if (worst == nullptr || worst->metrics->cpu_share.median >= kBusyShare) return "";
    return fmt::format(
        "{} ran on a CPU for {} of its time, and preempted or paging for the rest. Other programs "
        "had the CPUs, so speedups are those of a shared machine: stop other programs and repeat.",
        worst->name(), percent(worst->metrics->cpu_share.median, 0));
}

/// What other programs, the hypervisor and the quota took while runs went on.
std::string taken_cpus(const Analysis& analysis) {
    struct Taker {
        std::optional<double> Conditions::*seconds;
        const char* text;
    };
    constexpr std::array kTakers{
        Taker{&Conditions::others_cpu_seconds, "other programs used {} of CPU time"},
        Taker{&Conditions::steal_seconds, "the hypervisor had the CPUs for {}"},
        Taker{&Conditions::throttled_seconds, "the control group's quota stopped workers for {}"}};
    std::vector<std::string> found;
    for (const Taker& taker : kTakers) {
        double sum = 0.0;
        double wall = 0.0;
        for (const Run& run : analysis.results.runs) {
            if (!run.conditions || !(*run.conditions.*taker.seconds)) continue;
            sum += *(*run.conditions.*taker.seconds);
            wall += run.result.total_seconds;
        }
        if (sum <= kTakenShare * wall) continue;
        found.push_back(fmt::format(fmt::runtime(taker.text), seconds(sum)));
    }
    if (found.empty()) return "";
    return fmt::format(
        "During the runs {}: their CPUs were not theirs alone, so stop what else "
        "runs and repeat.",
        core::join(found, ", "));
}

std::string noise(const Analysis& analysis) {
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
    if (worst == nullptr) return "";
    return fmt::format(
        "Repetitions of {} differ by {} of their median in images/s. Something else used the "
        "machine, or its clock changed: stop other programs, pin the clock and repeat.",
        worst->name(), percent(most, 0));
}

/// CPUs that the workers of `each` had together: the usable ones, or those that they were bound to.
double cpus_of(const Configuration& each) {
    const Run& run = each.runs.front();
    std::set<int> own;
    for (const core::WorkerReport& worker : run.result.workers) {
        own.insert(worker.cpus.begin(), worker.cpus.end());
    }
    const auto usable = run.context.at("usable_cpus").get<double>();
    return own.empty() ? usable : std::min(usable, static_cast<double>(own.size()));
}

std::string oversubscribed(const Analysis& analysis) {
    std::map<double, std::vector<std::string>> names;  // by CPUs
    for (const Configuration& each : analysis.configurations) {
        if (each.oversubscribed) names[cpus_of(each)].push_back(each.name());
    }
    if (names.empty()) return "";
    return fmt::format(
        "{}. Their workers take turns, so they show how a model copes, not how it scales; they are "
        "marked, and left out of fits and predictions.",
        core::join(names, "; ", [](const auto& each) {
            return fmt::format("{} ran on {:g} CPU{}", core::join(each.second, "; "), each.first,
                               each.first == 1.0 ? "" : "s");
        }));
}

/// "3 to 7 steps", "none" or "unknown".
std::string cold_steps(const Analysis& analysis) {
    std::optional<double> least;
    double most = 0.0;
    for (const Configuration& each : analysis.configurations) {
        if (!each.steps) return "unknown";
        least = std::min(least.value_or(each.steps->cold.minimum), each.steps->cold.minimum);
        most = std::max(most, each.steps->cold.maximum);
    }
    if (most == 0.0) return "none";
    if (most == 1.0) return *least == most ? "1 step" : "at most 1 step";
    return *least == most ? fmt::format("{} steps", most)
                          : fmt::format("{} to {} steps", *least, most);
}

std::string short_epochs(const Analysis& analysis) {
    const auto& limit = analysis.results.runs.front().settings.config.steps_limit;
    // Weak scaling sets the limit itself.
    if (!limit || analysis.weak) return "";
    return fmt::format(
        "Every epoch ended after {} steps. Images/s leave out the cold ones of each run ({}), the "
        "phases do not, and accuracies are those of a network trained on a part of the data. Leave "
        "out --steps for whole epochs.",
        *limit, cold_steps(analysis));
}

std::string quota(const Analysis& analysis) {
    const Json& limit = context_of(analysis).at("cpu_quota");
    if (limit.is_null()) return "";
    return fmt::format(
        "The control group may use {} CPUs. Beyond that all workers are stopped for a part of each "
        "period, which lengthens every phase.",
        text_of(limit));
}

std::string effective_batch(const Analysis& analysis) {
    std::set<std::size_t> batches;
    for (const Run& run : analysis.results.runs) {
        batches.insert(global_batch(run.settings.config));
    }
    if (batches.size() < 2) return "";
    return fmt::format(
        "A step takes {} to {} images over all workers. Larger batches make fewer updates of the "
        "same images, so accuracies of different N answer different questions; speeds do not "
        "suffer. Compare accuracies at equal --global-batch.",
        count(static_cast<double>(*batches.begin())),
        count(static_cast<double>(*batches.rbegin())));
}

/// What the program told of the machine and of itself before it measured, in any run's file.
std::string warned(const Analysis& analysis) {
    std::vector<std::string> all;
    for (const Run& run : analysis.results.runs) {
        for (const Json& warning : run.context.value("warnings", Json::array())) {
            const std::string text = text_of(warning);
            if (std::ranges::find(all, text) == all.end()) all.push_back(text);
        }
    }
    return all.empty() ? "" : fmt::format("Told before it measured: {}.", core::join(all, "; "));
}

std::string one_machine(const Analysis& analysis) {
    if (!analysis.differences.empty()) return "";
    return fmt::format(
        "All runs are of one machine ({}), of {} and of one seed. Another ratio of computing to "
        "parameters, other caches or another memory give other speedups.",
        text_of(context_of(analysis).at("cpu_model")),
        analysis.results.runs.front().settings.config.model);
}

struct Kind {
    const char* title;
    std::string (*text)(const Analysis& analysis);
};

constexpr std::array kKinds{Kind{"Runs that cannot be compared", settings_differ},
                            Kind{"An injected fault", injected},
                            Kind{"Failed runs", failed_runs},
                            Kind{"Few repetitions", few_repetitions},
                            Kind{"A busy machine", busy_machine},
                            Kind{"CPUs that others had", taken_cpus},
                            Kind{"Noise", noise},
                            Kind{"More workers than CPUs", oversubscribed},
                            Kind{"Short epochs", short_epochs},
                            Kind{"CPU quota", quota},
                            Kind{"Different effective batches", effective_batch},
                            Kind{"Warnings", warned},
                            Kind{"One machine, one network", one_machine}};

}  // namespace

std::string brief(const Threat& threat) {
    const std::size_t end = std::min(threat.text.find(". "), threat.text.size() - 1);
    return fmt::format("{}: {}", threat.title, threat.text.substr(0, end + 1));
}

std::vector<Threat> find_threats(const Analysis& analysis) {
    std::vector<Threat> threats;
    for (const Kind& kind : kKinds) {
        std::string text = kind.text(analysis);
        if (!text.empty()) threats.push_back({kind.title, std::move(text)});
    }
    return threats;
}

}  // namespace dp::experiments::report
