#include "experiments/machine/conditions.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/optional_json.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

double cpu_seconds_of(int who) {
    rusage usage{};
    getrusage(who, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<double> read_number(const fs::path& file) {
    std::ifstream in(file);
    double value = 0.0;
    return in >> value ? std::optional(value) : std::nullopt;
}

/// The lines "cpu1 user nice system idle iowait irq softirq steal ..." of proc(5)'s stat, in clock
/// ticks.
void read_cpu_times(const fs::path& stat, std::span<const int> cpus, ConditionsReading& reading) {
    const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    std::ifstream in(stat);
    std::size_t found = 0;
    double busy = 0.0;
    double stolen = 0.0;
    for (std::string line; std::getline(in, line);) {
        std::stringstream words(line);
        std::string name;
        double user = 0.0, nice = 0.0, system = 0.0, skipped = 0.0, steal = 0.0;
        words >> name >> user >> nice >> system;
        for (int i = 0; i < 4; ++i) words >> skipped;
        const bool wanted =
            std::ranges::any_of(cpus, [&](int cpu) { return name == fmt::format("cpu{}", cpu); });
        if (!wanted || !(words >> steal)) continue;
        ++found;
        busy += (user + nice + system) * tick;
        stolen += steal * tick;
    }
    if (found == 0 || found != cpus.size()) return;
    reading.busy_seconds = busy;
    reading.steal_seconds = stolen;
}

/// sysfs has kHz, where the kernel knows the clock.
std::optional<double> read_mhz(const fs::path& folder, std::span<const int> cpus) {
    double sum = 0.0;
    for (const int cpu : cpus) {
        const auto khz = read_number(folder / fmt::format("cpu{}/cpufreq/scaling_cur_freq", cpu));
        if (!khz) return std::nullopt;
        sum += *khz * 1e-3;
    }
    return cpus.empty() ? std::nullopt : std::optional(sum / static_cast<double>(cpus.size()));
}

std::optional<double> difference(const std::optional<double>& before,
                                 const std::optional<double>& after) {
    if (!before || !after) return std::nullopt;
    return std::max(0.0, *after - *before);
}

/// One list of fields serves writing and reading.
void visit_fields(auto& conditions, const auto& visit) {
    visit("load_average", conditions.load_average);
    visit("cpu_mhz", conditions.cpu_mhz);
    visit("others_cpu_seconds", conditions.others_cpu_seconds);
    visit("steal_seconds", conditions.steal_seconds);
    visit("throttled_periods", conditions.throttled_periods);
    visit("throttled_seconds", conditions.throttled_seconds);
}

}  // namespace

ConditionsReading read_conditions(std::span<const int> cpus, const fs::path& root) {
    ConditionsReading reading;
    reading.load_average = read_number(root / "proc/loadavg");
    reading.cpu_mhz = read_mhz(root / "sys/devices/system/cpu", cpus);
    reading.throttling = read_throttling(root / "proc/self/cgroup", root / "sys/fs/cgroup");
    read_cpu_times(root / "proc/stat", cpus, reading);
    reading.own_cpu_seconds = cpu_seconds_of(RUSAGE_SELF) + cpu_seconds_of(RUSAGE_CHILDREN);
    return reading;
}

Conditions conditions_between(const ConditionsReading& before, const ConditionsReading& after) {
    Conditions conditions;
    conditions.load_average = before.load_average;
    conditions.cpu_mhz = before.cpu_mhz;
    conditions.others_cpu_seconds = difference(before.busy_seconds, after.busy_seconds);
    if (auto& others = conditions.others_cpu_seconds) {
        others = std::max(0.0, *others - (after.own_cpu_seconds - before.own_cpu_seconds));
    }
    conditions.steal_seconds = difference(before.steal_seconds, after.steal_seconds);
    if (before.throttling && after.throttling) {
        conditions.throttled_periods = after.throttling->periods - before.throttling->periods;
        conditions.throttled_seconds = after.throttling->seconds - before.throttling->seconds;
    }
    return conditions;
}

std::optional<double> wait_until_quiet(const std::function<ConditionsReading()>& read,
                                       std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kLook{250};
    const auto end = Clock::now() + limit;
    ConditionsReading before = read();
    auto since = Clock::now();
    while (true) {
        std::this_thread::sleep_for(kLook);
        const ConditionsReading after = read();
        const auto now = Clock::now();
        const auto others = conditions_between(before, after).others_cpu_seconds;
        if (!others) return std::nullopt;
        const double cpus = *others / std::chrono::duration<double>(now - since).count();
        if (cpus <= kQuietCpus || now >= end) return cpus;
        before = after;
        since = now;
    }
}

void to_json(Json& json, const Conditions& conditions) {
    visit_fields(conditions, [&](const char* name, const auto& value) { json[name] = value; });
}

void from_json(const Json& json, Conditions& conditions) {
    visit_fields(conditions, [&](const char* name, auto& value) { json.at(name).get_to(value); });
}

}  // namespace dp::experiments
