// A run that is ended from outside: by a worker's death, an interrupt or a hangup.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/program.hpp"
#include "tests/support/small_run.hpp"

using namespace dp;
using tests::holds;
using tests::small_run;

namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("a worker killed from outside ends the program with code 6 within two seconds") {
    const tests::TemporaryFolder folder;
    tests::Program program({"--mode", "procs", "-n", "3", "--epochs", "50", "--verbose", "--out",
                            folder.path().string()});
    REQUIRE(program.wait_for("worker 0 of 3 started"));
    REQUIRE(program.wait_for("worker 2 of 3 started"));
    REQUIRE(program.wait_for("worker 1 of 3 started, pid "));
    usleep(300'000);  // into its first steps
    std::ifstream tasks(fmt::format("/proc/{0}/task/{0}/children", program.pid()));
    std::vector<pid_t> workers;
    for (pid_t pid = 0; tasks >> pid;) workers.push_back(pid);
    REQUIRE(workers.size() == 3);
    const auto killed = std::chrono::steady_clock::now();
    kill(workers[1], SIGKILL);
    const auto result = program.finish();
    CHECK(std::chrono::steady_clock::now() - killed < std::chrono::seconds(2));
    CHECK(result.exit_code == 6);
    CHECK(holds(result.err, fmt::format("worker 1 (pid {}) was killed by signal 9", workers[1])));
    for (const pid_t pid : workers) CHECK(kill(pid, 0) == -1);

    const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "run-procs-n3-r1.json"));
    CHECK(json.at("status") == "failed");
    CHECK(json.at("failed_rank") == 1);
    CHECK(json.at("signal") == 9);
    CHECK(json.at("exit_code") == 6);
}

TEST_CASE("the threads process killed from outside ends the program with code 6") {
    const tests::TemporaryFolder folder;
    tests::Program program({"--mode", "threads", "-n", "2", "--epochs", "50", "--verbose", "--out",
                            folder.path().string()});
    REQUIRE(program.wait_for("started"));
    std::ifstream tasks(fmt::format("/proc/{0}/task/{0}/children", program.pid()));
    pid_t child = 0;
    REQUIRE(tasks >> child);
    kill(child, SIGSEGV);
    const auto result = program.finish();
    CHECK(result.exit_code == 6);
    CHECK(holds(result.err, "the threads process"));
    const auto json =
        nlohmann::json::parse(std::ifstream(folder.path() / "run-threads-n2-r1.json"));
    CHECK(json.at("failed_rank").is_null());  // the process runs all ranks
    CHECK(json.at("signal") == SIGSEGV);
}

TEST_CASE("an interrupt ends the program with code 130 and no worker left") {
    const tests::TemporaryFolder folder;
    tests::Program program({"--mode", "procs", "-n", "2", "--epochs", "50", "--verbose", "--out",
                            folder.path().string()});
    REQUIRE(program.wait_for("worker 0 of 2 started"));
    REQUIRE(program.wait_for("worker 1 of 2 started"));
    std::ifstream tasks(fmt::format("/proc/{0}/task/{0}/children", program.pid()));
    std::vector<pid_t> workers;
    for (pid_t pid = 0; tasks >> pid;) workers.push_back(pid);
    REQUIRE(workers.size() == 2);
    kill(program.pid(), SIGINT);
    CHECK(program.finish().exit_code == 130);
    for (const pid_t pid : workers) CHECK(kill(pid, 0) == -1);
    const auto json = nlohmann::json::parse(std::ifstream(folder.path() / "run-procs-n2-r1.json"));
    CHECK(json.at("status") == "failed");
    CHECK(json.at("exit_code") == 130);
}

TEST_CASE("a predict that is interrupted leaves no folder behind") {
    const tests::TemporaryFolder folder;
    tests::Program program({"predict", "--mode", "threads"}, {"TMPDIR=" + folder.path().string()});
    REQUIRE(program.wait_for("measuring"));
    usleep(500'000);
    siginfo_t ended{};
    while (ended.si_pid == 0) {  // an impatient user
        kill(program.pid(), SIGINT);
        usleep(1'000);
        waitid(P_PID, static_cast<id_t>(program.pid()), &ended, WEXITED | WNOHANG | WNOWAIT);
    }
    CHECK(program.finish().exit_code == 130);
    CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a hangup that is ignored does not end a run") {
    tests::Program program(small_run({"--mode", "procs", "-n", "2", "--verbose"}), {}, SIGHUP);
    REQUIRE(program.wait_for("worker 0 of 2 started"));
    kill(program.pid(), SIGHUP);
    CHECK(program.finish().exit_code == 0);
}
