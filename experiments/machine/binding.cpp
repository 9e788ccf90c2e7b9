#include "experiments/machine/binding.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "experiments/options/parse_number.hpp"

namespace dp::experiments {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kClose = "close";
constexpr std::string_view kSpread = "spread";
constexpr unsigned kMostCpus = 8192;  // that Linux is built for

/// The CPUs of "0,2-3", in this order.
std::vector<int> parse_list(const std::string& text) {
    std::vector<int> cpus;
    std::stringstream parts(text + ',');
    for (std::string part; std::getline(parts, part, ',');) {
        const std::size_t dash = part.find('-');
        const auto first = parse_number<unsigned>(part.substr(0, dash));
        const auto last =
            dash == std::string::npos ? first : parse_number<unsigned>(part.substr(dash + 1));
        if (!first || !last || *first > *last || *last >= kMostCpus) {
            throw core::Error(core::ExitCode::kUsage,
                              "--bind '{}' is neither none, close or spread nor a list of CPUs: "
                              "give CPUs and ranges of them, for example 0,2-3",
                              text);
        }
        for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus;
}

}  // namespace

std::string cpu_list(std::span<const int> cpus) {
    std::string text;
    for (std::size_t i = 0; i < cpus.size();) {
        std::size_t last = i;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
        text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[i]);
        if (last != i) text += fmt::format("-{}", cpus[last]);
        i = last + 1;
    }
    return text;
}

bool binds(const std::string& bind) { return bind != kNone; }

void check_binding(const std::string& bind) {
    if (binds(bind) && bind != kClose && bind != kSpread) parse_list(bind);
}

std::vector<int> bound_cpus(const std::string& bind, const Topology& topology) {
    if (!binds(bind)) return {};
    if (bind == kClose) return topology.close;
    if (bind == kSpread) return topology.spread;
    std::vector<int> cpus = parse_list(bind);
    std::vector<int> allowed = topology.close;
    std::ranges::sort(allowed);
    for (const int cpu : cpus) {
        if (std::ranges::binary_search(allowed, cpu)) continue;
        throw core::Error(core::ExitCode::kUsage,
                          "--bind '{}' names CPU {}, which this program may not use: choose from "
                          "{}",
                          bind, cpu, cpu_list(allowed));
    }
    return cpus;
}

}  // namespace dp::experiments
