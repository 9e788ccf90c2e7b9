#include "experiments/machine/hardware.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/join.hpp"
#include "core/base/optional_json.hpp"
#include "experiments/options/parse_number.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The first line; none when the file cannot be read or starts with an empty one.
std::optional<std::string> read_line(const fs::path& file) {
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line) || line.empty()) return std::nullopt;
    return line;
}

template <typename T>
std::optional<T> read_number(const fs::path& file) {
    const auto line = read_line(file);
    return line ? parse_number<T>(*line) : std::nullopt;
}

/// The folders `prefix`<number> in `folder`, by number.
std::vector<fs::path> numbered(const fs::path& folder, std::string_view prefix) {
    std::vector<std::pair<std::size_t, fs::path>> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (!name.starts_with(prefix)) continue;
        const auto number = parse_number<std::size_t>(name.substr(prefix.size()));
        if (number) found.emplace_back(*number, it->path());
    }
    std::ranges::sort(found);
    std::vector<fs::path> paths;
    for (auto& [number, path] : found) paths.push_back(std::move(path));
    return paths;
}

/// How many CPUs "0-3,8" names.
std::optional<std::size_t> count_of(const std::string& list) {
    std::size_t count = 0;
    std::stringstream parts(list);
    for (std::string part; std::getline(parts, part, ',');) {
        const std::size_t dash = part.find('-');
        const auto first = parse_number<std::size_t>(part.substr(0, dash));
        const auto last =
            dash == std::string::npos ? first : parse_number<std::size_t>(part.substr(dash + 1));
        if (!first || !last || *last < *first) return std::nullopt;
        count += *last - *first + 1;
    }
    return count == 0 ? std::nullopt : std::optional(count);
}

/// "32K", "8M" or plain bytes.
std::optional<std::uint64_t> bytes_of(std::string text) {
    std::uint64_t factor = 1;
    if (text.ends_with('K')) factor = std::uint64_t{1} << 10;
    if (text.ends_with('M')) factor = std::uint64_t{1} << 20;
    if (text.ends_with('G')) factor = std::uint64_t{1} << 30;
    if (factor != 1) text.pop_back();
    const auto number = parse_number<std::uint64_t>(text);
    return number ? std::optional(*number * factor) : std::nullopt;
}

std::optional<Cache> read_cache(const fs::path& folder) {
    const auto level = read_number<int>(folder / "level");
    const auto type = read_line(folder / "type");
    const auto size = read_line(folder / "size");
    const auto shared = read_line(folder / "shared_cpu_list");
    if (!level || !type || !size || !shared) return std::nullopt;
    const auto bytes = bytes_of(*size);
    const auto cpus = count_of(*shared);
    if (!bytes || !cpus) return std::nullopt;
    return Cache{*level, *type, *bytes, *cpus};
}

std::optional<std::vector<Cache>> read_caches(const std::vector<fs::path>& cpus) {
    for (const fs::path& cpu : cpus) {
        std::vector<Cache> caches;
        for (const fs::path& index : numbered(cpu / "cache", "index")) {
            if (auto cache = read_cache(index)) caches.push_back(*std::move(cache));
        }
        if (!caches.empty()) return caches;
    }
    return std::nullopt;
}

void read_cores(const std::vector<fs::path>& cpus, Hardware& hardware) {
    std::set<std::string> cores;
    std::set<int> sockets;
    for (const fs::path& cpu : cpus) {
        // The older name stands where the kernel is older than 5.3.
        auto siblings = read_line(cpu / "topology/core_cpus_list");
        if (!siblings) siblings = read_line(cpu / "topology/thread_siblings_list");
        if (siblings) {
            cores.insert(*siblings);
            hardware.threads_per_core = std::max(hardware.threads_per_core, count_of(*siblings));
        }
        // -1: the firmware does not tell.
        const auto socket = read_number<int>(cpu / "topology/physical_package_id");
        if (socket && *socket >= 0) sockets.insert(*socket);
    }
    if (!cores.empty()) hardware.physical_cores = cores.size();
    if (!sockets.empty()) hardware.sockets = sockets.size();
}

std::optional<std::string> read_governor(const std::vector<fs::path>& cpus) {
    std::set<std::string> governors;
    for (const fs::path& cpu : cpus) {
        if (auto governor = read_line(cpu / "cpufreq/scaling_governor")) {
            governors.insert(*std::move(governor));
        }
    }
    return governors.empty() ? std::nullopt : std::optional(core::join(governors));
}

/// The word in brackets of "always [madvise] never".
std::optional<std::string> chosen_word(const std::optional<std::string>& line) {
    if (!line) return std::nullopt;
    const std::size_t open = line->find('[');
    const std::size_t close = line->find(']');
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return std::nullopt;
    }
    return line->substr(open + 1, close - open - 1);
}

/// "MemTotal:       24684084 kB", where kB is KiB; see proc(5).
std::optional<std::uint64_t> read_memory(const fs::path& meminfo) {
    std::ifstream in(meminfo);
    for (std::string line; std::getline(in, line);) {
        std::stringstream words(line);
        std::string name;
        std::uint64_t kib = 0;
        if (words >> name >> kib && name == "MemTotal:") return kib * 1024;
    }
    return std::nullopt;
}

}  // namespace

Hardware read_hardware(const fs::path& root) {
    const fs::path system = root / "sys/devices/system";
    const std::vector<fs::path> cpus = numbered(system / "cpu", "cpu");
    Hardware hardware;
    hardware.caches = read_caches(cpus);
    read_cores(cpus, hardware);
    if (const std::size_t nodes = numbered(system / "node", "node").size(); nodes > 0) {
        hardware.numa_nodes = nodes;
    }
    hardware.memory_bytes = read_memory(root / "proc/meminfo");
    hardware.cpu_governor = read_governor(cpus);
    hardware.transparent_huge_pages =
        chosen_word(read_line(root / "sys/kernel/mm/transparent_hugepage/enabled"));
    if (const auto line = read_line(root / "proc/loadavg")) {
        hardware.load_average = parse_number<double>(line->substr(0, line->find(' ')));
    }
    return hardware;
}

void add_hardware(Json& context, const Hardware& hardware) {
    context["physical_cores"] = hardware.physical_cores;
    context["threads_per_core"] = hardware.threads_per_core;
    context["sockets"] = hardware.sockets;
    context["numa_nodes"] = hardware.numa_nodes;
    context["memory_bytes"] = hardware.memory_bytes;
    Json& caches = context["caches"] = nullptr;
    for (const Cache& cache : hardware.caches.value_or(std::vector<Cache>())) {
        caches.push_back({{"level", cache.level},
                          {"type", cache.type},
                          {"bytes", cache.bytes},
                          {"shared_by_cpus", cache.shared_by_cpus}});
    }
    context["cpu_governor"] = hardware.cpu_governor;
    context["transparent_huge_pages"] = hardware.transparent_huge_pages;
    context["load_average"] = hardware.load_average;
}

}  // namespace dp::experiments
