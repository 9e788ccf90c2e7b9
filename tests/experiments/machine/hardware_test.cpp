// What is read of made-up machines.
#include "experiments/machine/hardware.hpp"

#include <nlohmann/json.hpp>

#include "experiments/machine/machine.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::Hardware;
using tests::holds;

namespace {

namespace fs = std::filesystem;

class MadeTree {
public:
    [[nodiscard]] const fs::path& root() const { return folder_.path(); }

    void put(const std::string& file, const std::string& line) const {
        const fs::path path = root() / file;
        fs::create_directories(path.parent_path());
        const std::string text = line + "\n";
        tests::write_file(path, {text.begin(), text.end()});
    }
    void put_cpu(int cpu, const std::string& file, const std::string& line) const {
        put("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + file, line);
    }

private:
    tests::TemporaryFolder folder_;
};

std::vector<std::string> warnings_of(const Hardware& hardware,
                                     std::optional<double> quota = std::nullopt) {
    experiments::Machine machine;
    machine.affinity = {0, 1};
    machine.cpu_quota = quota;
    machine.hardware = hardware;
    return experiments::machine_warnings(machine);
}

}  // namespace

TEST_CASE("memory and the settings that change speed are read") {
    const MadeTree tree;
    for (int cpu = 0; cpu < 8; ++cpu) {
        tree.put_cpu(cpu, "cpufreq/scaling_governor", cpu == 3 ? "powersave" : "performance");
    }
    tree.put("sys/devices/system/cpu/cpufreq/boost", "1");  // no CPU
    tree.put("proc/meminfo", "MemTotal:       2000 kB\nMemFree:  1000 kB");
    tree.put("proc/loadavg", "0.25 0.50 1.00 1/100 1234");
    tree.put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");

    const Hardware hardware = experiments::read_hardware(tree.root());
    CHECK(hardware.memory_bytes == 2'048'000);
    CHECK(hardware.cpu_governor == "performance, powersave");
    CHECK(hardware.transparent_huge_pages == "madvise");
    CHECK(hardware.load_average == 0.25);
}

TEST_CASE("where the system tells nothing every field is null and none is invented") {
    const tests::TemporaryFolder empty;
    nlohmann::ordered_json context;
    experiments::add_hardware(context, experiments::read_hardware(empty.path()));
    CHECK(context.size() == 4);
    for (const auto& [name, value] : context.items()) {
        INFO(name);
        CHECK(value.is_null());
    }
    CHECK(warnings_of(experiments::read_hardware(empty.path())).empty());
}

TEST_CASE("files that make no sense are as good as missing") {
    const MadeTree tree;
    tree.put("proc/meminfo", "MemTotal: much");
    tree.put("proc/loadavg", "");
    tree.put("sys/kernel/mm/transparent_hugepage/enabled", "]always[");
    const Hardware hardware = experiments::read_hardware(tree.root());
    CHECK_FALSE(hardware.memory_bytes);
    CHECK_FALSE(hardware.load_average);
    CHECK_FALSE(hardware.transparent_huge_pages);
}

TEST_CASE("a busy machine, a low clock and a broken CPU each have a warning with their value") {
    Hardware hardware;
    hardware.load_average = 0.5;
    hardware.cpu_governor = "performance";
    CHECK(warnings_of(hardware, 2.0).empty());
    hardware.load_average = 0.75;
    REQUIRE(warnings_of(hardware).size() == 1);
    CHECK(holds(warnings_of(hardware)[0], "load average was 0.75"));
    hardware.cpu_governor = "performance, powersave";
    REQUIRE(warnings_of(hardware, 1.5).size() == 3);
    CHECK(holds(warnings_of(hardware, 1.5)[1], "performance, powersave"));
    CHECK(holds(warnings_of(hardware, 1.5)[2], "1.5 CPUs"));
}
