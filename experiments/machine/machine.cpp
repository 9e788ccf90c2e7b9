#include "experiments/machine/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>

#include <fmt/format.h>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

#include "core/base/affinity.hpp"
#include "core/base/error.hpp"
#include "core/base/optional_json.hpp"
#include "core/data/digest.hpp"
#include "core/nn/onednn_info.hpp"
#include "experiments/machine/control_groups.hpp"
#include "multiproc/process_group.hpp"

namespace dp::experiments {
namespace {

constexpr std::array kVariables{"OMP_NUM_THREADS", "OMP_PROC_BIND",     "OMP_PLACES",
                                "OMP_WAIT_POLICY", "OMP_DYNAMIC",       "OMP_THREAD_LIMIT",
                                "GOMP_SPINCOUNT",  "GOMP_CPU_AFFINITY", "ONEDNN_MAX_CPU_ISA"};

std::string read_cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t value = line.find(": ");
        if (value != std::string::npos) return line.substr(value + 2);
    }
    return "unknown CPU";
}

/// Empty where it cannot be read.
std::string digest_of_file(const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    if (bytes.empty()) return "";
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return fmt::format("{:016x}", core::digest(std::span(data, bytes.size())));
}

}  // namespace

std::optional<double> process_seconds() {
    // Field 22 of proc(5)'s stat, counted behind the name, which may hold spaces and parentheses.
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    std::stringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    double start_ticks = 0.0;
    if (!(fields >> start_ticks)) return std::nullopt;
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 -
           start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double Machine::usable_cpus() const {
    const auto allowed = static_cast<double>(affinity.size());
    return cpu_quota ? std::min(allowed, *cpu_quota) : allowed;
}

std::vector<std::string> machine_warnings(const Machine& machine) {
    // Half a CPU in use by others: above it two workers on two CPUs share one of them for a
    // noticeable part of the time.
    constexpr double kBusy = 0.5;
    std::vector<std::string> warnings = machine.warnings;
    const Hardware& hardware = machine.hardware;
    if (hardware.load_average > kBusy) {
        warnings.push_back(
            fmt::format("the load average was {:g} before the first run: other programs, or an "
                        "earlier run, had the CPUs; close them and wait a minute",
                        *hardware.load_average));
    }
    if (hardware.cpu_governor && hardware.cpu_governor->find("powersave") != std::string::npos) {
        warnings.push_back(fmt::format(
            "the CPU frequency governor is {}: the clock may be low or change during a run; choose "
            "performance",
            *hardware.cpu_governor));
    }
    const std::optional<double>& quota = machine.cpu_quota;
    if (quota && *quota != std::floor(*quota)) {
        warnings.push_back(
            fmt::format("the control group's quota of {:g} CPUs is no whole number: the kernel "
                        "stops workers for a part of each period",
                        *quota));
    }
    return warnings;
}

nlohmann::ordered_json context_json(const Machine& machine) {
    nlohmann::ordered_json environment = nlohmann::ordered_json::object();
    for (const auto& [name, value] : machine.environment) environment[name] = value;
    nlohmann::ordered_json context{
        {"host", machine.host},         {"cpu_model", machine.cpu_model},
        {"kernel", machine.kernel},     {"usable_cpus", machine.usable_cpus()},
        {"affinity", machine.affinity}, {"cpu_quota", machine.cpu_quota}};
    add_topology(context, machine.topology);
    add_hardware(context, machine.hardware);
    context["onednn_version"] = machine.onednn_version;
    context["onednn_runtime"] = machine.onednn_runtime;
    context["onednn_isa"] = machine.onednn_isa;
    context["openmp_version"] = machine.openmp_version;
    context["boost_version"] = machine.boost_version;
    context["dp_compare_version"] = DP_VERSION;
    context["build"] = machine.build;
    const auto if_known = [](const std::string& text) {
        return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
    };
    context["compiler_flags"] = machine.compiler_flags;
    context["commit"] = if_known(machine.commit);
    context["program_digest"] = if_known(machine.program_digest);
    context["environment"] = environment;
    context["warnings"] = machine_warnings(machine);
    return context;
}

namespace {

/// What makes figures of this build say little about the program.
std::vector<std::string> program_warnings() {
    std::vector<std::string> warnings;
    const auto add = [&](std::string_view how) {
        warnings.push_back(fmt::format(
            "this dp_compare was built {} ({}): its figures say little of one built as Release",
            how, DP_BUILD));
    };
#ifndef __OPTIMIZE__
    add("without optimisation");
#endif
#ifdef _GLIBCXX_ASSERTIONS
    add("with the standard library's assertions");
#endif
    if (std::string_view(DP_BUILD).find("sanitizers") != std::string_view::npos) {
        add("with sanitizers");
    }
    return warnings;
}

}  // namespace

Machine read_machine() {
    Machine machine;
    utsname names{};
    uname(&names);
    machine.host = names.nodename;
    machine.kernel = std::string(names.sysname) + " " + names.release;
    machine.cpu_model = read_cpu_model();
    machine.affinity = core::started_cpus();
    machine.cpu_quota = read_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    machine.openmp_version = _OPENMP;
    machine.hardware = read_hardware();
    machine.boost_version = BOOST_LIB_VERSION;
    std::ranges::replace(machine.boost_version, '_', '.');
    machine.build = DP_BUILD;
    machine.compiler_flags = DP_FLAGS;
    machine.commit = kCommit;
    machine.program_digest = digest_of_file("/proc/self/exe");
    machine.warnings = program_warnings();
    try {
        machine.topology = read_topology(machine.affinity);
    } catch (const core::Error& error) {
        machine.topology.close = machine.topology.spread = machine.affinity;
        machine.warnings.emplace_back(error.what());
    }
    if (core::current_cpus() != machine.affinity) {
        machine.warnings.emplace_back(
            "OMP_PROC_BIND, OMP_PLACES or GOMP_CPU_AFFINITY would bind threads and no processes: "
            "dp_compare lets the workers of both use all usable CPUs");
    }
    for (const char* name : kVariables) {
        if (const char* value = std::getenv(name)) machine.environment.emplace_back(name, value);
    }

    multiproc::GroupCallbacks ask;
    ask.name = [](std::size_t) { return std::string("the process that asks oneDNN"); };
    ask.work = [](std::size_t) {
        const core::OneDnnInfo info = core::onednn_info();
        return nlohmann::json{info.version, info.runtime, info.isa, info.native_bf16}.dump();
    };
    const auto answer = nlohmann::json::parse(multiproc::run_process_group(1, ask).front());
    machine.onednn_version = answer[0];
    machine.onednn_runtime = answer[1];
    machine.onednn_isa = answer[2];
    machine.native_bf16 = answer[3];
    return machine;
}

}  // namespace dp::experiments
