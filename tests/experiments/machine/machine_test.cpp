// What the program reads of its machine.
#include "experiments/machine/machine.hpp"
#include "experiments/machine/triad.hpp"

#include <nlohmann/json.hpp>

#include "experiments/machine/control_groups.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;

namespace {

void write_text(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    tests::write_file(file, {text.begin(), text.end()});
}

}  // namespace

TEST_CASE("the tightest quota on the way up a version 2 control group counts") {
    const tests::TemporaryFolder folder;
    const auto root = folder.path() / "cgroup";
    write_text(folder.path() / "self", "0::/a/b\n");
    write_text(root / "a/b/cpu.max", "max 100000\n");
    write_text(root / "a/cpu.max", "150000 100000\n");
    write_text(root / "cpu.max", "400000 100000\n");
    CHECK(experiments::read_cpu_quota(folder.path() / "self", root) == 1.5);
}

TEST_CASE("a version 1 control group's quota counts and minus one is no quota") {
    const tests::TemporaryFolder folder;
    const auto root = folder.path() / "cgroup";
    write_text(folder.path() / "self", "5:memory:/x\n4:cpu,cpuacct:/x\n");
    write_text(root / "cpu,cpuacct/x/cpu.cfs_quota_us", "50000\n");
    write_text(root / "cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    CHECK(experiments::read_cpu_quota(folder.path() / "self", root) == 0.5);
    write_text(root / "cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n");
    CHECK_FALSE(experiments::read_cpu_quota(folder.path() / "self", root));
}

TEST_CASE("no control group means no quota") {
    CHECK_FALSE(experiments::read_cpu_quota("/nonexistent/cgroup", "/nonexistent"));
}

TEST_CASE("the triad moves as much as memory can, and no more") {
    const auto bytes_per_second = experiments::measure_triad(experiments::read_machine());
    REQUIRE(bytes_per_second);
    CHECK(*bytes_per_second > 1e8);
    CHECK(*bytes_per_second < 2e12);
}

TEST_CASE("usable CPUs are the smaller of affinity and quota") {
    experiments::Machine machine;
    machine.affinity = {0, 1, 2};
    CHECK(machine.usable_cpus() == 3.0);
    machine.cpu_quota = 1.5;
    CHECK(machine.usable_cpus() == 1.5);
    machine.cpu_quota = 8.0;
    CHECK(machine.usable_cpus() == 3.0);
}

TEST_CASE("this machine has a oneDNN and a CPU") {
    const experiments::Machine machine = experiments::read_machine();
    CHECK(machine.usable_cpus() > 0.0);
    CHECK(machine.onednn_version.find('.') != std::string::npos);
    CHECK(machine.onednn_runtime == "OpenMP");
    CHECK_FALSE(machine.onednn_isa.empty());
}

TEST_CASE("a build that is not for measuring warns, in its results too") {
    experiments::Machine machine = experiments::read_machine();
    INFO(machine.build);
    const bool slow =
        machine.build.ends_with(", Debug") || tests::holds(machine.build, "sanitizers");
    CHECK(machine.warnings.empty() != slow);
    machine.warnings = {"built for other things"};
    CHECK(experiments::machine_warnings(machine).front() == "built for other things");
}

TEST_CASE("the context tells the program: flags, commit and digest, or null") {
    experiments::Machine machine = experiments::read_machine();
    auto context = experiments::context_json(machine);
    CHECK_FALSE(context.at("compiler_flags").get<std::string>().empty());
    CHECK(machine.program_digest.size() == 16);
    CHECK(context.at("program_digest") == machine.program_digest);
    CHECK(machine.program_digest == experiments::read_machine().program_digest);
    machine.commit = machine.program_digest = "";
    context = experiments::context_json(machine);
    CHECK(context.at("commit").is_null());
    CHECK(context.at("program_digest").is_null());
    machine.commit = "0123, changed since";
    CHECK(experiments::context_json(machine).at("commit") == "0123, changed since");
}
