// What is read of made-up machines before and after a run, and what lies between.
#include "experiments/machine/conditions.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::Conditions;
using experiments::read_conditions;
using experiments::wait_until_quiet;

namespace {

namespace fs = std::filesystem;

constexpr std::array kCpus{1, 12};

void put(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    tests::write_file(file, {text.begin(), text.end()});
}

/// Clock ticks are hundredths of a second, as on every Linux. CPU 0 and CPU 2 are not ours.
void put_machine(const fs::path& root, int busy_ticks, int steal_ticks, int throttled) {
    const auto line = [](const char* cpu, int user, int steal) {
        return fmt::format("{} {} 10 20 5000 60 70 80 {} 0 0\n", cpu, user, steal);
    };
    put(root / "proc/stat", line("cpu", 9'999, 99) + line("cpu0", 5'000, 77) +
                                line("cpu1", busy_ticks, steal_ticks) + line("cpu2", 3'000, 5) +
                                line("cpu12", 200, 0) + "intr 1 2 3\n");
    put(root / "proc/loadavg", "1.25 0.50 1.00 1/100 1234\n");
    put(root / "proc/self/cgroup", "0::/a/b\n");
    put(root / "sys/fs/cgroup/a/b/cpu.stat",
        fmt::format("usage_usec 5\nnr_periods 9\nnr_throttled {}\nthrottled_usec {}\n", throttled,
                    throttled * 10'000));
    for (const int cpu : kCpus) {
        put(root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu),
            cpu == 1 ? "2000000\n" : "3000000\n");
    }
}

}  // namespace

TEST_CASE("load, clock, and what others, the hypervisor and the quota took are read") {
    const tests::TemporaryFolder folder;
    put_machine(folder.path(), 1'000, 30, 2);
    auto before = read_conditions(kCpus, folder.path());
    before.own_cpu_seconds = 100.0;
    put_machine(folder.path(), 1'500, 45, 7);
    auto after = read_conditions(kCpus, folder.path());
    after.own_cpu_seconds = 103.0;

    const Conditions found = conditions_between(before, after);
    CHECK(found.load_average == 1.25);
    CHECK(found.cpu_mhz == 2500.0);
    CHECK(*found.others_cpu_seconds == Approx(5.0 - 3.0));
    CHECK(*found.steal_seconds == Approx(0.15));
    CHECK(*found.throttled_periods == 5.0);
    CHECK(*found.throttled_seconds == Approx(0.05));

    const nlohmann::ordered_json json = found;
    CHECK(nlohmann::ordered_json(json.get<Conditions>()) == json);
}

TEST_CASE("ticks that are fewer than the run's own CPU time are no one's") {
    experiments::ConditionsReading before;
    before.busy_seconds = 1.0;
    experiments::ConditionsReading after = before;
    after.busy_seconds = 2.0;
    after.own_cpu_seconds = 1.01;
    CHECK(conditions_between(before, after).others_cpu_seconds == 0.0);
}

TEST_CASE("version 1 of control groups tells throttling in nanoseconds, of every group above") {
    const tests::TemporaryFolder folder;
    put(folder.path() / "self", "4:cpu,cpuacct:/x\n");
    const fs::path root = folder.path() / "cgroup";
    put(root / "cpu,cpuacct/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_time 500000000\n");
    put(root / "cpu,cpuacct/x/cpu.stat", "nr_periods 4\nnr_throttled 3\nthrottled_time 1\n");
    const auto throttling = experiments::read_throttling(folder.path() / "self", root);
    REQUIRE(throttling);
    CHECK(throttling->periods == 4.0);
    CHECK(throttling->seconds == Approx(0.5));
}

TEST_CASE("a quiet machine is waited for, and not for ever") {
    experiments::ConditionsReading reading;
    int looks = 0;
    const auto busy_until = [&](int last) {
        return [&, last] {
            // A second of CPU time in each quarter of a second.
            reading.busy_seconds = std::min(++looks, last);
            return reading;
        };
    };
    using std::chrono::milliseconds;
    SECTION("that becomes quiet") {
        const auto cpus = wait_until_quiet(busy_until(3), milliseconds(60'000));
        CHECK(cpus == 0.0);
        CHECK(looks == 4);
    }
    SECTION("that does not") {
        const auto cpus = wait_until_quiet(busy_until(1'000), milliseconds(300));
        CHECK(*cpus > 0.1);
        CHECK(looks == 3);
    }
    SECTION("that does not tell") {
        const auto tell_nothing = [] { return experiments::ConditionsReading{}; };
        CHECK_FALSE(wait_until_quiet(tell_nothing, milliseconds(60'000)));
    }
}

TEST_CASE("what the system does not tell of a run is none and not 0") {
    const tests::TemporaryFolder empty;
    const auto reading = read_conditions(kCpus, empty.path());
    const nlohmann::ordered_json json = conditions_between(reading, reading);
    CHECK(json.size() == 6);
    for (const auto& [name, value] : json.items()) {
        INFO(name);
        CHECK(value.is_null());
    }
    // Not all of our CPUs are told.
    put(empty.path() / "proc/stat", "cpu 1 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1 1\n");
    CHECK_FALSE(read_conditions(kCpus, empty.path()).busy_seconds);
}
