#include "experiments/machine/hardware.hpp"

#include <fstream>
#include <set>
#include <sstream>

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

/// Of the folders of CPUs in `folder`.
std::optional<std::string> read_governor(const fs::path& folder) {
    std::set<std::string> governors;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (auto governor = read_line(it->path() / "cpufreq/scaling_governor")) {
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
    Hardware hardware;
    hardware.memory_bytes = read_memory(root / "proc/meminfo");
    hardware.cpu_governor = read_governor(root / "sys/devices/system/cpu");
    hardware.transparent_huge_pages =
        chosen_word(read_line(root / "sys/kernel/mm/transparent_hugepage/enabled"));
    if (const auto line = read_line(root / "proc/loadavg")) {
        hardware.load_average = parse_number<double>(line->substr(0, line->find(' ')));
    }
    return hardware;
}

void add_hardware(Json& context, const Hardware& hardware) {
    context["memory_bytes"] = hardware.memory_bytes;
    context["cpu_governor"] = hardware.cpu_governor;
    context["transparent_huge_pages"] = hardware.transparent_huge_pages;
    context["load_average"] = hardware.load_average;
}

}  // namespace dp::experiments
