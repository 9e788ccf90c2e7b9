// Mode mpi that is started wrongly, or whose ranks die, stall or are interrupted.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using Clock = std::chrono::steady_clock;
using tests::count_of;
using tests::has_mpi;
using tests::join;
using tests::kAllowed;
using tests::mpirun;
using tests::training;
using tests::two_ranks;
using tests::Words;

namespace {

namespace fs = std::filesystem;

// The most that a failing run may take to end on all ranks.
constexpr auto kMost = std::chrono::seconds(5);

std::string start_of(int worker, int workers) {
    return fmt::format("worker {} of {} started", worker, workers);
}

/// The pid of `worker`, which "worker 1 of 2 started, pid 17" in `text` tells.
pid_t pid_of(const std::string& text, int worker, int workers) {
    const std::string before = start_of(worker, workers) + ", pid ";
    const std::size_t at = text.find(before);
    REQUIRE(at != std::string::npos);
    return static_cast<pid_t>(std::stol(text.substr(at + before.size())));
}

bool is_running(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string number, name, state;
    return file >> number >> name >> state && state != "Z";
}

struct Ended {
    tests::ProgramResult result;
    Clock::duration took{};
    std::vector<pid_t> left;  // workers that still run
};

/// Starts two processes of `mode` with `workers` ranks, sends `signal` to the last one's, or
/// without a worker to the program, and waits.
Ended end_by(int signal, bool to_worker, const Words& more, const char* mode = "mpi",
             int workers = 2) {
    tests::Program program(join({"--mode", mode, "-n", "2", "--verbose", "--epochs", "1000",
                                 "--batch-size", "8", "--model", "simple_cnn"},
                                more),
                           kAllowed);
    for (int worker = 0; worker < workers; ++worker) {
        REQUIRE(program.wait_for(start_of(worker, workers)));
    }
    REQUIRE(program.wait_for("\n"));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const std::string said = program.said();
    const auto start = Clock::now();
    kill(to_worker ? pid_of(said, workers - 1, workers) : program.pid(), signal);
    Ended ended{program.finish(), {}, {}};
    ended.took = Clock::now() - start;
    for (int worker = 0; worker < workers; ++worker) {
        const pid_t pid = pid_of(said, worker, workers);
        if (is_running(pid)) ended.left.push_back(pid);
    }
    return ended;
}

}  // namespace

TEST_CASE("what is started wrongly is said once, with exit code 2 and the remedy", "[mpi]") {
    if (!has_mpi()) return;
    const auto check = [](const tests::ProgramResult& result, const std::string& text) {
        INFO(result.err);
        CHECK(result.exit_code == 2);
        CHECK(count_of(result.err, "dp_compare: error") == 1);
        CHECK(tests::holds(result.err, text));
    };
    check(mpirun(3, training({"--mode", "procs"})), "--mode mpi");
    check(mpirun(3, {"report", "nowhere"}), "without mpirun");
    check(mpirun(3, training({"--mode", "mpi", "-n", "2"})), "leave it out");
    check(mpirun(2, training({"--mode", "mpi", "--reps", "2"})), "one run");
    const auto run = [&](const Words& more, const Words& environment = kAllowed) {
        return tests::run_program(training(join({"--mode", "mpi"}, more)), environment);
    };
    check(run({}, {"PATH=/nowhere"}), "openmpi-bin");
    check(run({"--mpi-run", "no-such-launcher"}), "no-such-launcher");
    const Words few{"-n", "64", "--mpi-run", "mpirun --host localhost:2"};
    check(run(few), "too few slots");
    if (geteuid() != 0) return;
    check(run({}, {}), "root");
    check(run({"--mpi-run", "mpirun"}, {}), "root");
}

TEST_CASE("ranks with other data or another instruction set are named", "[mpi]") {
    if (!has_mpi()) return;
    const Words rank{tests::program_path().string(),
                     "--mode",
                     "mpi",
                     "--epochs",
                     "1",
                     "--steps",
                     "1",
                     "--batch-size",
                     "8"};
    const auto two = [&](const std::string& other) {
        return tests::Program("mpirun", join(two_ranks(other), rank), kAllowed).finish();
    };
    const auto data = two("\"$@\" --seed 2");
    INFO(data.err);
    CHECK(data.exit_code == 5);
    CHECK(count_of(data.err, "digest") == 1);
    const auto isa = two("env ONEDNN_MAX_CPU_ISA=SSE41 \"$@\"");
    INFO(isa.err);
    CHECK(isa.exit_code == 2);
    CHECK(count_of(isa.err, "has sse41") == 1);
}

TEST_CASE("a rank that is killed ends the run with code 6 and is named", "[mpi]") {
    if (!has_mpi()) return;
    const Ended ended = end_by(SIGKILL, /*to_worker=*/true, {});
    INFO(ended.result.err);
    CHECK(ended.result.exit_code == 6);
    CHECK(tests::holds(ended.result.err, "error: worker 1 on "));
    CHECK(tests::holds(ended.result.err, "killed by signal 9"));
    CHECK(ended.took < kMost);
    CHECK(ended.left.empty());
}

TEST_CASE("a rank that stands still ends the run with code 7 and is named", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    const fs::path out = folder.path() / "out";
    const Ended ended =
        end_by(SIGSTOP, /*to_worker=*/true, {"--timeout", "4", "--out", out.string()});
    INFO(ended.result.err);
    CHECK(ended.result.exit_code == 7);
    CHECK(tests::holds(ended.result.err, "worker 1 has stalled"));
    CHECK(nlohmann::json::parse(std::ifstream(out / "run-mpi-n2-r1.json")).at("failed_rank") == 1);
    CHECK(ended.took < kMost + std::chrono::seconds(4));
    CHECK(ended.left.empty());
}

TEST_CASE("a process of hybrid-mpi that is killed or stands still is named", "[mpi]") {
    if (!has_mpi()) return;
    const Words threads{"--threads-per-worker", "2"};
    const Ended killed = end_by(SIGKILL, /*to_worker=*/true, threads, "hybrid-mpi", 4);
    INFO(killed.result.err);
    CHECK(killed.result.exit_code == 6);
    CHECK(tests::holds(killed.result.err, "error: the process of workers 2 to 3 on "));
    CHECK(killed.took < kMost);
    CHECK(killed.left.empty());
    const Ended stalled =
        end_by(SIGSTOP, /*to_worker=*/true, join(threads, {"--timeout", "4"}), "hybrid-mpi", 4);
    INFO(stalled.result.err);
    CHECK(stalled.result.exit_code == 7);
    CHECK(tests::holds(stalled.result.err, "the process of workers 2 to 3 has stalled"));
    CHECK(stalled.took < kMost + std::chrono::seconds(4));
    CHECK(stalled.left.empty());
}

TEST_CASE("an interrupt ends all ranks with code 130", "[mpi]") {
    if (!has_mpi()) return;
    const Ended ended = end_by(SIGINT, /*to_worker=*/false, {});
    INFO(ended.result.err);
    CHECK(ended.result.exit_code == 130);
    CHECK(ended.took < kMost);
    CHECK(ended.left.empty());
}
