// Mode mpi as a user runs it: started by dp_compare, and by mpirun.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "core/base/affinity.hpp"
#include "core/exchange/message_reductions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using Clock = std::chrono::steady_clock;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// So that the tests run as root too.
const Words kAllowed{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
const Words kSmall{"--epochs", "1", "--steps", "3", "--batch-size", "8", "--model", "simple_cnn"};
// The most that a failing run may take to end on all ranks.
constexpr auto kMost = std::chrono::seconds(5);

/// False, with a message, where MPI is missing.
bool has_mpi() {
    const bool built = fs::exists(tests::program_path().parent_path() / "libdp_mpi.so");
    const bool installed = std::system("command -v mpirun > /dev/null") == 0;
    if (!built || !installed) WARN("skipped: install openmpi-bin and libopenmpi-dev, build again");
    return built && installed;
}

Words join(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

Words training(const Words& more) { return join(more, kSmall); }

/// `mpirun -n ranks dp_compare arguments`.
tests::ProgramResult mpirun(int ranks, const Words& arguments,
                            const Words& environment = kAllowed) {
    return tests::Program("mpirun",
                          join({"--oversubscribe", "--bind-to", "none", "-n", std::to_string(ranks),
                                tests::program_path().string()},
                               arguments),
                          environment)
        .finish();
}

/// How often `text` holds `part`.
std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
    return count;
}

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

TEST_CASE("mpi ends with procs' and serial's bits for every ordered reduction", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    for (const core::MessageReduction& reduction : core::message_reductions()) {
        std::map<std::string, std::string> checksums;  // by N
        for (const char* modes : {"procs,mpi", "serial"}) {
            for (const char* workers : {"1", "2", "3", "4"}) {
                const fs::path out = folder.path() / (std::string(modes) + workers);
                const auto result =
                    tests::run_program(training({"--mode", modes, "-n", workers, "--reduction",
                                                 std::string(reduction.traits.name), "--out",
                                                 out.string(), "--force", "--no-report"}),
                                       kAllowed);
                INFO(reduction.traits.name << " " << workers << result.err);
                REQUIRE(result.exit_code == 0);
                for (const auto& entry : fs::directory_iterator(out)) {
                    if (!entry.path().filename().string().starts_with("run-")) continue;
                    const auto run = nlohmann::json::parse(std::ifstream(entry.path()));
                    const std::string checksum = run.at("result").at("checksum");
                    CHECK(checksums.try_emplace(workers, checksum).first->second == checksum);
                }
            }
        }
        CHECK(checksums.size() == 4);
    }
}

TEST_CASE("hybrid-mpi ends with hybrid's bits and those of serial in groups", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    struct Shape {
        int processes, threads;
    };
    for (const Shape& shape : {Shape{2, 2}, Shape{2, 3}, Shape{3, 2}}) {
        const Words threads{"--threads-per-worker", std::to_string(shape.threads)};
        const std::string ranks = std::to_string(shape.processes * shape.threads);
        std::vector<std::string> checksums;
        for (const Words& modes :
             {Words{"--mode", "hybrid,hybrid-mpi", "-n", std::to_string(shape.processes)},
              Words{"--mode", "serial", "-n", ranks, "--reduction", "grouped"}}) {
            const fs::path out = folder.path() / (modes[1] + ranks + threads[1]);
            const auto result = tests::run_program(
                training(join(join(modes, threads), {"--out", out.string(), "--no-report"})),
                kAllowed);
            INFO(shape.processes << "x" << shape.threads << result.err);
            REQUIRE(result.exit_code == 0);
            for (const auto& entry : fs::directory_iterator(out)) {
                if (!entry.path().filename().string().starts_with("run-")) continue;
                const auto run = nlohmann::json::parse(std::ifstream(entry.path()));
                checksums.push_back(run.at("result").at("checksum"));
            }
        }
        CHECK(checksums == std::vector<std::string>(3, checksums.at(0)));
    }
}

TEST_CASE("with shards mpi ends with serial's bits, whatever N", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    std::map<std::string, std::size_t> runs;  // by checksum
    for (const core::MessageReduction& reduction : core::message_reductions()) {
        if (reduction.traits.order != core::SumOrder::kTree) continue;
        const auto result =
            tests::run_program(training({"--mode", "serial,mpi", "-n", "1,2,4,8", "--shards", "8",
                                         "--reduction", std::string(reduction.traits.name), "--out",
                                         folder.path() / "out", "--force", "--no-report"}),
                               kAllowed);
        INFO(result.out << result.err);
        REQUIRE(result.exit_code == 0);
        for (const auto& row : tests::csv_rows(folder.path() / "out" / "runs.csv")) {
            ++runs[row.at("checksum")];
            CHECK((row.at("mode") == "serial" || row.at("reduction") == reduction.traits.name));
        }
    }
    REQUIRE(runs.size() == 1);
    CHECK(runs.begin()->second == 15);
    const auto started = mpirun(2, training({"--mode", "mpi", "--shards", "8"}));
    INFO(started.out << started.err);
    REQUIRE(started.exit_code == 0);
    CHECK(tests::holds(started.out, runs.begin()->first));
}

TEST_CASE("the library's sums are close to those in the ring's order", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    std::vector<double> losses;
    for (const char* reduction : {"message-ring", "library"}) {
        const fs::path out = folder.path() / reduction;
        const auto result = tests::run_program(
            training({"--mode", "mpi", "-n", "3", "--reduction", reduction, "--out", out.string()}),
            kAllowed);
        INFO(result.err);
        REQUIRE(result.exit_code == 0);
        const char* const file =
            losses.empty() ? "run-mpi-n3-r1.json" : "run-mpi-library-n3-r1.json";
        const auto run = nlohmann::json::parse(std::ifstream(out / file));
        CHECK(run.at("result").at("reduction") == reduction);
        losses.push_back(run.at("result").at("epochs").at(0).at("train_loss"));
    }
    // Three addends in another order differ by two roundings of the sum, 2^-23 of it; three steps
    // make a few times that of the loss.
    CHECK(losses[1] == Approx(losses[0]).epsilon(1e-5));
}

TEST_CASE("mpi stands beside the other modes in a sweep's table and report", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    const auto result =
        tests::run_program(training({"--mode", "procs,mpi", "-n", "1,2", "--reps", "2", "--out",
                                     (folder.path() / "out").string()}),
                           kAllowed);
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(tests::holds(result.out, "run   8/8"));
    std::size_t rows = 0;
    for (const auto& row : tests::csv_rows(folder.path() / "out" / "runs.csv")) {
        if (row.at("mode") == "mpi") ++rows;
    }
    CHECK(rows == 4);
    CHECK(fs::exists(folder.path() / "out" / "report.html"));
}

TEST_CASE("hybrid-mpi stands beside hybrid in a sweep, with N ranks of both", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    const fs::path out = folder.path() / "out";
    const auto result = tests::run_program(
        training({"--mode", "hybrid,hybrid-mpi", "-n", "1,2", "--threads-per-worker", "2", "--reps",
                  "2", "--out", out.string()}),
        kAllowed);
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(tests::holds(result.out, "run   8/8"));
    std::map<std::string, std::size_t> runs;
    for (const auto& row : tests::csv_rows(out / "runs.csv")) {
        ++runs[row.at("mode") + " " + row.at("workers")];
    }
    CHECK(runs == std::map<std::string, std::size_t>{
                      {"hybrid 2", 2}, {"hybrid 4", 2}, {"hybrid-mpi 2", 2}, {"hybrid-mpi 4", 2}});
    const auto summary = nlohmann::json::parse(std::ifstream(out / "summary.json"));
    CHECK(summary.at("comparisons").size() == 2);
    for (const auto& each : summary.at("correctness")) CHECK(each.at("checksums").size() == 1);
}

TEST_CASE("allreduce times every reduction of mpi, on sums that are right", "[mpi]") {
    if (!has_mpi()) return;
    const auto result = tests::run_program(
        {"allreduce", "--mode", "mpi", "-n", "3", "--bytes", "4,300000", "--repetitions", "3"},
        kAllowed);
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    std::istringstream rows(result.out);
    std::size_t right = 0;
    for (std::string row; std::getline(rows, row);) {
        std::istringstream words(row);
        std::size_t bytes = 0, count = 0, workers = 0, wrong = 1;
        std::string mode, reduction;
        double median = 0.0, rest = 0.0;
        words >> bytes >> count >> mode >> workers >> reduction >> median;
        words >> rest >> rest >> rest >> rest >> wrong;
        if (mode == "mpi" && workers == 3 && median > 0.0 && wrong == 0) ++right;
    }
    CHECK(right == 2 * (core::message_reductions().size() + 1));  // the library's too
}

TEST_CASE("under mpirun rank 0 speaks and writes for all", "[mpi]") {
    if (!has_mpi()) return;
    const tests::TemporaryFolder folder;
    const auto result =
        mpirun(3, training({"--mode", "mpi", "--out", (folder.path() / "out").string()}));
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(count_of(result.out, "checksum  ") == 1);
    CHECK(count_of(result.out, "Epoch [") == 1);
    const auto run =
        nlohmann::json::parse(std::ifstream(folder.path() / "out" / "run-mpi-n3-r1.json"));
    CHECK(run.at("result").at("workers").size() == 3);
}

TEST_CASE("clocks of several machines are aligned", "[mpi]") {
    if (!has_mpi()) return;
    if (std::system("unshare --time --monotonic 1000 true 2> /dev/null") != 0) {
        WARN("skipped: only root may make time namespaces, from Linux 5.6 on");
        return;
    }
    const tests::TemporaryFolder folder;
    const std::string program = tests::program_path().string();
    const Words run = training({"--mode", "mpi", "--out", (folder.path() / "out").string(),
                                "--inject", "delay:rank=1,ms=300,phase=forward"});
    // One rank has another machine's clock.
    const auto result =
        tests::Program(
            "mpirun",
            join(join(join({"--oversubscribe", "-n", "1", program}, run),
                      {":", "-n", "1", "unshare", "--time", "--monotonic", "1000", program}),
                 run),
            kAllowed)
            .finish();
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    const auto workers =
        nlohmann::json::parse(std::ifstream(folder.path() / "out" / "run-mpi-n2-r1.json"))
            .at("result")
            .at("workers");
    CHECK_FALSE(workers.at(0).contains("clock"));
    const auto& clock = workers.at(1).at("clock");
    CHECK(clock.at("offset_seconds").get<double>() == Approx(1000.0));
    CHECK(clock.at("error_seconds").get<double>() > 0.0);
    const auto& late = workers.at(1).at("epochs").at(0).at("late_at_exchange");
    CHECK(late.at("steps") == 3);
    CHECK(late.at("seconds").get<double>() > 0.5);
    CHECK(late.at("seconds").get<double>() < 100.0);
}

TEST_CASE("ranks have the CPU each that --bind gives them, whoever starts them", "[mpi]") {
    if (!has_mpi()) return;
    const std::vector<int> all = core::current_cpus();
    if (all.size() < 2) return;
    const tests::TemporaryFolder folder;
    const std::string reversed = fmt::format("{},{}", all[1], all[0]);
    const Words bound = training({"--mode", "mpi", "--bind", reversed});
    const fs::path by_us = folder.path() / "by_us";
    const fs::path by_user = folder.path() / "by_user";
    CHECK(tests::run_program(join(bound, {"-n", "3", "--out", by_us}), kAllowed).exit_code == 0);
    CHECK(mpirun(3, join(bound, {"--out", by_user})).exit_code == 0);
    for (const fs::path& out : {by_us, by_user}) {
        const auto run = nlohmann::json::parse(std::ifstream(out / "run-mpi-n3-r1.json"));
        const auto& workers = run.at("result").at("workers");
        REQUIRE(workers.size() == 3);
        for (const int rank : {0, 1, 2}) {
            CHECK(workers.at(rank).at("cpus") == std::vector{all[rank == 1 ? 0 : 1]});
        }
    }
    // Ranks that other commands start find for themselves that a CPU is missing.
    const auto refused =
        tests::run_program(training({"--mode", "mpi", "-n", "2", "--bind", "8000", "--mpi-run",
                                     "mpirun --oversubscribe --bind-to none"}),
                           kAllowed);
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(tests::holds(refused.err, "--bind '8000' names CPU 8000"));
}

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
    const auto two = [&](const Words& other) {
        return tests::Program(
                   "mpirun",
                   join(join(join({"--oversubscribe", "-n", "1"}, rank), {":", "-n", "1"}), other),
                   kAllowed)
            .finish();
    };
    const auto data = two(join(rank, {"--seed", "2"}));
    INFO(data.err);
    CHECK(data.exit_code == 5);
    CHECK(count_of(data.err, "digest") == 1);
    const auto isa = two(join({"env", "ONEDNN_MAX_CPU_ISA=SSE41"}, rank));
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
