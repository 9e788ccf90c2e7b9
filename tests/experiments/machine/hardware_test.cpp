// What is read of made-up machines.
#include "experiments/machine/hardware.hpp"

#include <nlohmann/json.hpp>

#include "experiments/machine/machine.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::Cache;
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
    void put_cache(int index, const std::string& level, const std::string& type,
                   const std::string& size, const std::string& shared) const {
        const std::string folder = "cache/index" + std::to_string(index) + "/";
        put_cpu(0, folder + "level", level);
        put_cpu(0, folder + "type", type);
        put_cpu(0, folder + "size", size);
        put_cpu(0, folder + "shared_cpu_list", shared);
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

TEST_CASE("two sockets of two cores with two threads each are told apart") {
    const MadeTree tree;
    for (int cpu = 0; cpu < 8; ++cpu) {
        const std::string first = std::to_string(cpu % 4);
        tree.put_cpu(cpu, "topology/core_cpus_list", first + "," + std::to_string(cpu % 4 + 4));
        tree.put_cpu(cpu, "topology/physical_package_id", std::to_string(cpu % 4 / 2));
        tree.put_cpu(cpu, "cpufreq/scaling_governor", cpu == 3 ? "powersave" : "performance");
    }
    tree.put("sys/devices/system/cpu/cpufreq/boost", "1");  // no CPU
    tree.put("sys/devices/system/node/node0/cpulist", "0-3");
    tree.put("sys/devices/system/node/node1/cpulist", "4-7");
    tree.put_cache(0, "1", "Data", "48K", "0,4");
    tree.put_cache(10, "3", "Unified", "32M", "0-1,4-5");  // numbers, not text, give the order
    tree.put_cache(2, "2", "Unified", "1024K", "0,4");
    tree.put("proc/meminfo", "MemTotal:       2000 kB\nMemFree:  1000 kB");
    tree.put("proc/loadavg", "0.25 0.50 1.00 1/100 1234");
    tree.put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");

    const Hardware hardware = experiments::read_hardware(tree.root());
    CHECK(hardware.physical_cores == 4);
    CHECK(hardware.threads_per_core == 2);
    CHECK(hardware.sockets == 2);
    CHECK(hardware.numa_nodes == 2);
    CHECK(hardware.memory_bytes == 2'048'000);
    CHECK(hardware.caches == std::vector<Cache>{{1, "Data", 49152, 2},
                                                {2, "Unified", 1 << 20, 2},
                                                {3, "Unified", 32 << 20, 4}});
    CHECK(hardware.cpu_governor == "performance, powersave");
    CHECK(hardware.transparent_huge_pages == "madvise");
    CHECK(hardware.load_average == 0.25);

    nlohmann::ordered_json context;
    experiments::add_hardware(context, hardware);
    CHECK(context.at("caches").at(2).at("shared_by_cpus") == 4);
}

TEST_CASE("where the system tells nothing every field is null and none is invented") {
    const tests::TemporaryFolder empty;
    nlohmann::ordered_json context;
    experiments::add_hardware(context, experiments::read_hardware(empty.path()));
    CHECK(context.size() == 9);
    for (const auto& [name, value] : context.items()) {
        INFO(name);
        CHECK(value.is_null());
    }
    CHECK(warnings_of(experiments::read_hardware(empty.path())).empty());
}

TEST_CASE("files that make no sense are as good as missing") {
    const MadeTree tree;
    tree.put_cpu(0, "topology/core_cpus_list", "nonsense");
    tree.put_cpu(0, "topology/physical_package_id", "-1");  // as some firmware has it
    tree.put_cache(0, "one", "Data", "48K", "0");
    tree.put_cache(1, "2", "Unified", "K", "0");
    tree.put_cache(2, "3", "Unified", "8M", "3-1");
    tree.put("proc/meminfo", "MemTotal: much");
    tree.put("proc/loadavg", "");
    tree.put("sys/kernel/mm/transparent_hugepage/enabled", "]always[");
    const Hardware hardware = experiments::read_hardware(tree.root());
    CHECK_FALSE(hardware.sockets);
    CHECK_FALSE(hardware.threads_per_core);
    CHECK_FALSE(hardware.caches);
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
