// The CPUs that a run has: how many, which its workers are bound to, and what it says of too few.
#include <sched.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/affinity.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"
#include "tests/support/small_run.hpp"

using namespace dp;
using tests::holds;
using tests::run_program;
using tests::small_run;

TEST_CASE("more workers than CPUs run with one warning and are marked") {
    cpu_set_t all;
    sched_getaffinity(0, sizeof(all), &all);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
        if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    sched_setaffinity(0, sizeof(one), &one);  // inherited by the program
    const auto result = run_program(small_run({"--mode", "threads,procs", "-n", "2"}));
    sched_setaffinity(0, sizeof(all), &all);
    CHECK(result.exit_code == 0);
    const std::size_t first = result.err.find("oversubscribed");
    CHECK(first != std::string::npos);
    CHECK(result.err.find("oversubscribed", first + 1) == std::string::npos);
    CHECK(holds(result.out, "oversubscribed"));
}

TEST_CASE("workers of all modes may use all CPUs, whatever OpenMP would bind") {
    const std::vector<int> all = core::current_cpus();
    if (all.size() < 2) return;
    for (const char* binding : {"OMP_PROC_BIND=true", "OMP_PLACES=threads", "OMP_DYNAMIC=false"}) {
        const tests::TemporaryFolder folder;
        const auto result = run_program(small_run({"--mode", "serial,threads,procs", "-n", "2",
                                                   "--no-report", "--out", folder.path()}),
                                        {binding});
        INFO(binding << result.err);
        REQUIRE(result.exit_code == 0);
        CHECK(holds(result.err, "OMP_PROC_BIND") == !holds(binding, "DYNAMIC"));
        CHECK_FALSE(holds(result.err, "oversubscribed"));
        for (const char* run : {"serial-n1", "threads-n2", "procs-n2"}) {
            const auto json = nlohmann::json::parse(
                std::ifstream(folder.path() / fmt::format("run-{}-r1.json", run)));
            CHECK(json.at("context").at("affinity") == all);
            for (const auto& worker : json.at("result").at("workers")) {
                CHECK(worker.at("cpus") == all);
                CHECK(worker.at("threads") == 1);
            }
        }
    }
}

TEST_CASE("workers of every mode have the CPU each that --bind gives them") {
    const std::vector<int> all = core::current_cpus();
    if (all.size() < 2) return;
    const std::string reversed = fmt::format("{},{}", all[1], all[0]);
    const std::vector<int> first{all[1]};
    const std::vector<int> second{all[0]};
    struct Wanted {
        const char* mode;
        const char* count;  // -n
        std::string file;
        bool oversubscribed;
        std::vector<std::vector<int>> cpus;  // by rank
    };
    for (const Wanted& wanted :
         {Wanted{"threads", "2", "run-threads-n2-r1.json", false, {first, second}},
          Wanted{"threads", "3", "run-threads-n3-r1.json", true, {first, second, first}},
          Wanted{"procs", "3", "run-procs-n3-r1.json", true, {first, second, first}},
          Wanted{"hybrid", "2", "run-hybrid-n4-r1.json", true, {first, second, first, second}},
          Wanted{"serial", "1", "run-serial-n1-r1.json", false, {first}},
          Wanted{"intraop", "2", "run-intraop-n2-r1.json", false, {{all[0], all[1]}}}}) {
        const tests::TemporaryFolder folder;
        const auto result = run_program(small_run({"--mode", wanted.mode, "-n", wanted.count,
                                                   "--bind", reversed, "--out", folder.path()}));
        INFO(wanted.file << result.err);
        REQUIRE(result.exit_code == 0);
        const auto run = nlohmann::json::parse(std::ifstream(folder.path() / wanted.file));
        CHECK(run.at("config").at("bind") == reversed);
        CHECK(run.at("config").at("oversubscribed") == wanted.oversubscribed);
        const auto& workers = run.at("result").at("workers");
        REQUIRE(workers.size() == wanted.cpus.size());
        for (std::size_t rank = 0; rank < workers.size(); ++rank) {
            CHECK(workers.at(rank).at("cpus") == wanted.cpus[rank]);
        }
    }
}

TEST_CASE("close and spread give each worker a CPU of its own where there is one") {
    const std::vector<int> all = core::current_cpus();
    if (all.size() < 2) return;
    for (const char* bind : {"close", "spread"}) {
        const tests::TemporaryFolder folder;
        const auto result = run_program(small_run({"--mode", "threads,procs", "-n", "2", "--bind",
                                                   bind, "--no-report", "--out", folder.path()}));
        INFO(bind << result.err);
        REQUIRE(result.exit_code == 0);
        for (const char* mode : {"threads", "procs"}) {
            const auto run = nlohmann::json::parse(
                std::ifstream(folder.path() / fmt::format("run-{}-n2-r1.json", mode)));
            const auto& workers = run.at("result").at("workers");
            CHECK(workers.at(0).at("cpus").size() == 1);
            CHECK(workers.at(1).at("cpus").size() == 1);
            CHECK(workers.at(0).at("cpus") != workers.at(1).at("cpus"));
        }
    }
}

TEST_CASE("workers bound to fewer CPUs than there are of them are oversubscribed") {
    const std::string one = fmt::to_string(core::current_cpus().front());
    const auto result = run_program(
        {"--dry-run", "--mode", "threads", "-n", "2", "--bind", fmt::format("{},{}", one, one)});
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "(oversubscribed)"));
    CHECK(holds(result.out, fmt::format("CPU of each worker, from 0 on: {}, {}\n", one, one)));
}

TEST_CASE("a CPU that the program may not use is refused by its number, with those it may") {
    for (const char* mode : {"threads", "procs", "hybrid", "mpi"}) {
        const auto result =
            run_program({"--dry-run", "--mode", mode, "-n", "2", "--bind", "0,8000"});
        INFO(mode << result.err);
        CHECK(result.exit_code == 2);
        CHECK(holds(result.err, "--bind '0,8000' names CPU 8000"));
        CHECK(holds(result.err, "choose from "));
    }
    const auto sideways = run_program({"--dry-run", "--bind", "sideways"});
    CHECK(sideways.exit_code == 2);
    CHECK(holds(sideways.err, "--bind 'sideways' is neither none"));
}
