// The program as its user meets it: what it prints, its files, its exit codes.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/affinity.hpp"
#include "core/checkpoint/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using tests::holds;
using tests::run_program;

namespace {

namespace fs = std::filesystem;

/// A run of a few small steps, plus `more`.
std::vector<std::string> small_run(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--epochs", "2", "--steps", "2", "--batch-size", "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

/// A CIFAR-10 folder of a few images a file.
void write_cifar(const fs::path& folder) {
    fs::create_directories(folder);
    for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                             "data_batch_5", "test_batch"}) {
        tests::write_file(folder / (std::string(name) + ".bin"), tests::Bytes(4 * 3073, 3));
    }
}

void patch(const fs::path& file, std::streamoff at, char value) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream.put(value);
}

}  // namespace

TEST_CASE("a sweep prints an epoch line per epoch and a table with equal checksums") {
    const auto result = run_program(small_run({"--mode", "serial,threads,procs", "-n", "1,2"}));
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    for (const char* line : {"host ", "cpus ", "onednn ", "data ", "network ", "plan "}) {
        CHECK(holds(result.out, line));
    }
    const std::regex epoch(
        R"(Epoch \[ 2/2\] \| Loss: \d+\.\d\d \| Train Acc: \d+\.\d% \| Test Acc: \d+\.\d% \| Time: \d+\.\ds)");
    CHECK(std::distance(std::sregex_iterator(result.out.begin(), result.out.end(), epoch), {}) ==
          5);
    const std::regex row(R"((serial|threads|procs) +(\d+)\*? .* ([0-9a-f]{16}))");
    std::map<std::string, std::set<std::string>> checksums;
    std::size_t rows = 0;
    for (std::sregex_iterator it(result.out.begin(), result.out.end(), row), end; it != end; ++it) {
        ++rows;
        checksums[(*it)[2]].insert((*it)[3]);
    }
    CHECK(rows == 5);
    CHECK(checksums["1"].size() == 1);
    CHECK(checksums["2"].size() == 1);
    CHECK(holds(result.out, "N = 1 and 2 ended with equal parameters, bit for bit"));
}

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

TEST_CASE("out holds one valid document per run and is not overwritten unasked") {
    const tests::TemporaryFolder folder;
    const std::string out = folder.path() / "new" / "results";
    const auto arguments = small_run({"--mode", "threads,procs", "-n", "2", "--out", out});
    REQUIRE(run_program(arguments).exit_code == 0);
    for (const std::string mode : {"threads", "procs"}) {
        const auto json =
            nlohmann::json::parse(std::ifstream(fs::path(out) / ("run-" + mode + "-n2-r1.json")));
        CHECK(json.at("schema") == "dp_compare.run/1");
        CHECK(json.at("status") == "complete");
        CHECK(json.at("config").at("effective_batch") == 16);
        CHECK(json.at("config").at("overlap") == true);
        CHECK(json.at("config").at("inject") == nullptr);
        CHECK(json.at("config").at("reduction") == json.at("result").at("reduction"));
        CHECK(json.at("result").at("reduction") ==
              (mode == "threads" ? "in-place" : "message-ring"));
        CHECK(json.at("result").at("workers").size() == 2);
        const auto& startup = json.at("startup");
        CHECK(startup.at("data_load_seconds") > 0.0);
        CHECK(startup.at("before_runs_seconds") > startup.at("data_load_seconds"));
        CHECK(startup.at("first_step_seconds") > startup.at("before_runs_seconds"));
        CHECK(startup.at("first_step_seconds") < 60.0);
        CHECK(json.at("result").at("epochs").size() == 2);
        CHECK(json.at("result").at("update") == (mode == "threads" ? "sliced" : "replicated"));
        // The phases of every worker sum to the wall time of its epoch.
        for (const auto& worker : json.at("result").at("workers")) {
            for (std::size_t e = 0; e < 2; ++e) {
                const auto& epoch = worker.at("epochs").at(e);
                double sum = 0.0;
                for (const auto& [name, value] : epoch.items()) {
                    if (name.ends_with("_seconds") && name != "wall_seconds") {
                        sum += value.get<double>();
                    }
                }
                const double wall = epoch.at("wall_seconds");
                CHECK(std::abs(sum - wall) < 0.01 * wall + 0.05);  // a preemption between clocks
                CHECK(epoch.at("exchange").at("wait_seconds") <= epoch.at("exchange_seconds"));
            }
        }
    }
    const auto again = run_program(arguments);
    CHECK(again.exit_code == 2);
    CHECK(holds(again.err, out));
    CHECK(holds(again.err, "--force"));
    auto forced = arguments;
    forced.push_back("--force");
    CHECK(run_program(forced).exit_code == 0);
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
        INFO(entry.path());
        CHECK_FALSE(holds(entry.path().filename().string(), ".tmp-"));  // none is left
    }
}

TEST_CASE("a folder that cannot be written is refused before anything runs") {
    const tests::TemporaryFolder folder;
    tests::write_file(folder.path() / "file", {1});
    for (const std::string& out :
         {(folder.path() / "file").string(), (folder.path() / "file" / "below").string(),
          std::string("/proc/nothing")}) {
        const auto result = run_program(small_run({"--out", out}));
        CHECK(result.exit_code == 2);
        CHECK(holds(result.err, out));
        CHECK(holds(result.err, "choose another"));
        CHECK_FALSE(holds(result.out, "Epoch"));
    }
    const auto save = run_program(small_run({"--save", "/proc/nothing/a.safetensors"}));
    CHECK(save.exit_code == 2);
    CHECK(holds(save.err, "/proc/nothing/a.safetensors"));
}

TEST_CASE("bad data is named with exit code 3") {
    const tests::TemporaryFolder folder;
    const fs::path cifar = folder.path() / "cifar-10-batches-bin";
    const auto run = [&](const fs::path& dir) {
        return run_program(small_run({"--dataset", "cifar10", "--data-dir", dir.string()}));
    };
    const auto check = [&](const tests::ProgramResult& result, const std::string& named) {
        INFO(result.err);
        CHECK(result.exit_code == 3);
        CHECK(holds(result.err, named));
        CHECK_FALSE(holds(result.out, "Epoch"));
    };
    check(run(folder.path() / "missing"), "missing");
    write_cifar(cifar);
    CHECK(run(cifar).exit_code == 0);
    CHECK(run(folder.path()).exit_code == 0);

    patch(cifar / "data_batch_2.bin", 3073, 12);  // the label of the second image
    check(run(cifar), "data_batch_2.bin");
    CHECK(holds(run(cifar).err, "12"));
    CHECK(holds(run(cifar).err, "3073"));
    patch(cifar / "data_batch_2.bin", 3073, 3);
    fs::resize_file(cifar / "data_batch_4.bin", 3 * 3073 + 100);
    check(run(cifar), "data_batch_4.bin");

    const auto missing = run_program(small_run({"--dataset", "cifar10"}));
    check(missing, "--data-dir");
    check(run_program(small_run({"--load", (folder.path() / "no.safetensors").string()})),
          "no.safetensors");
}

TEST_CASE("an IDX file with a wrong magic number is named with exit code 3") {
    const tests::TemporaryFolder folder;
    for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                             "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
        tests::write_file(folder.path() / name, tests::Bytes(64, 0x55));
    }
    const auto result =
        run_program(small_run({"--dataset", "mnist", "--data-dir", folder.path().string()}));
    CHECK(result.exit_code == 3);
    CHECK(holds(result.err, "idx"));
    CHECK(holds(result.err, "magic"));
}

TEST_CASE("bad usage ends with exit code 2 and a pointer to help") {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"-n", "0"}, {"-n", "x"}, {"--no-such-option"}, {"extra"}}) {
        const auto result = run_program(arguments);
        INFO(result.err);
        CHECK(result.exit_code == 2);
        CHECK(holds(result.err, arguments.size() == 2 ? "'" + arguments[1] + "'" : arguments[0]));
        CHECK(result.out.empty());
    }
    const auto shape = run_program(small_run({"--model", "mnist_cnn"}));
    CHECK(shape.exit_code == 2);
    CHECK(holds(shape.err, "1 x 28 x 28"));
}

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

TEST_CASE("what cannot be printed is told, unless nobody reads it") {
    const tests::TemporaryFolder folder;
    const std::string program = tests::program_path().string();
    const auto run = [&](const std::string& command) {
        const int status = std::system(("bash -c '" + command + "'").c_str());
        return WEXITSTATUS(status);
    };
    for (const char* option : {"--dry-run", "--help", "--version"}) {
        const std::string error = (folder.path() / option).string();
        CHECK(run(fmt::format("{} {} > /dev/full 2> {}", program, option, error)) == 1);
        std::string line;
        std::getline(std::ifstream(error), line);
        CHECK(holds(line, "could not be written"));
        CHECK(run(fmt::format("{} {} | true; exit ${{PIPESTATUS[0]}}", program, option)) == 0);
        CHECK(run(fmt::format("{} {} >&-", program, option)) == 0);
    }
}

TEST_CASE("an empty NO_COLOR leaves colour on, as a terminal has it") {
    const tests::TemporaryFolder folder;
    const std::string out = (folder.path() / "out").string();
    for (const bool colour : {true, false}) {
        std::ignore = std::system(
            fmt::format("TERM=xterm NO_COLOR={} script -qec \"{} --no-such-option\" {} > /dev/null",
                        colour ? "" : "1", tests::program_path().string(), out)
                .c_str());
        const auto bytes = fs::file_size(out);
        std::string text(bytes, ' ');
        std::ifstream(out).read(text.data(), static_cast<std::streamsize>(bytes));
        INFO(text);
        CHECK(holds(text, "error"));
        CHECK(holds(text, "\033[31m") == colour);
    }
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

TEST_CASE("a test loss that is not finite is told as such") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "broken.safetensors";
    REQUIRE(run_program({"--steps", "0", "--epochs", "1", "--save", file.string()}).exit_code == 0);
    core::StateDict state = core::load_checkpoint(file);
    const auto bias = std::ranges::find(state.tensors, "fc2.bias", &core::NamedTensor::name);
    REQUIRE(bias != state.tensors.end());
    bias->values[0] = 3e38F;  // finite logits whose difference is not
    bias->values[1] = -3e38F;
    core::save_checkpoint(file, state);
    const auto result = run_program({"--epochs", "0", "--load", file.string()});
    CHECK(result.exit_code == 1);
    CHECK(holds(result.err, "the test loss is"));
}

TEST_CASE("a batch of more images than there are is refused, or warned of where workers share") {
    const auto refused = run_program({"--batch-size", "10001", "--dry-run"});
    CHECK(refused.exit_code == 2);
    CHECK(holds(refused.err, "--batch-size 10001 is more than the 10000 training images"));
    CHECK(holds(run_program({"--global-batch", "20000", "--dry-run"}).err, "--global-batch 20000"));
    const auto warned =
        run_program({"--mode", "threads", "-n", "2", "--batch-size", "6000", "--dry-run"});
    CHECK(warned.exit_code == 0);
    CHECK(holds(warned.err, "2 workers with batches of 6000 take 12000 images a step"));
}

TEST_CASE("a folder of data without its data set's name is refused and what it holds is named") {
    const tests::TemporaryFolder folder;
    const auto refused = [&] {
        const auto result = run_program(small_run({"--data-dir", folder.path().string()}));
        CHECK(result.exit_code == 2);
        return result.err;
    };
    CHECK(holds(refused(), "name the data set that it holds"));
    std::filesystem::create_directory(folder.path() / "mnist");
    std::ofstream(folder.path() / "mnist" / "train-images-idx3-ubyte.gz") << "x";
    CHECK(holds(refused(), "it holds mnist, so add --dataset"));
}

TEST_CASE("the folders that --save and --trace lack are made") {
    const tests::TemporaryFolder folder;
    const auto save = folder.path() / "a" / "b" / "end.safetensors";
    const auto trace = folder.path() / "c" / "trace.json";
    CHECK(run_program(small_run({"--save", save, "--trace", trace})).exit_code == 0);
    CHECK(std::filesystem::exists(save));
    CHECK(std::filesystem::exists(trace));
}

TEST_CASE("a dry run prints the plan and trains nothing") {
    const auto result = run_program({"--mode", "threads,procs", "-n", "2", "--dry-run"});
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "plan      threads: 2 workers"));
    CHECK(holds(result.out, "plan      procs: 2 workers"));
    CHECK(holds(result.out, "reduction message-ring\n"));
    const auto changed = run_program({"--dry-run", "--mode", "procs", "-n", "2", "--convolution",
                                      "direct", "--overlap", "off", "--bucket-kib", "0"});
    CHECK(holds(changed.out,
                "reduction message-ring, --convolution direct, --bucket-kib 0, --overlap off\n"));
    CHECK(holds(result.out, "reduction in-place"));
    CHECK(holds(result.out, "reduction message-ring"));
    CHECK_FALSE(holds(result.out, "Epoch"));
}

TEST_CASE("an injected delay is time in its phase and the peers' waiting") {
    for (const std::string mode : {"threads", "procs"}) {
        const tests::TemporaryFolder folder;
        const std::string out = folder.path() / "results";
        const auto result =
            run_program({"--epochs", "1", "--steps", "4", "--batch-size", "8", "--mode", mode, "-n",
                         "2", "--out", out, "--inject", "delay:rank=1,ms=50,phase=forward"});
        INFO(result.err);
        REQUIRE(result.exit_code == 0);
        const auto json =
            nlohmann::json::parse(std::ifstream(fs::path(out) / ("run-" + mode + "-n2-r1.json")));
        CHECK(json.at("config").at("inject") == "delay:rank=1,ms=50,phase=forward");
        const auto epoch = [&](std::size_t rank) {
            return json.at("result").at("workers").at(rank).at("epochs").at(0);
        };
        CHECK(epoch(1).at("forward_seconds") >= 4 * 0.05);
        // Of the four sleeps all but the first surely begin when rank 0 has ended the step before,
        // and end before it can end the next. What it does meanwhile is its own step, at 8 images a
        // few milliseconds unless the machine is busy, and waiting.
        double rank_0 = epoch(0).at("exchange").at("wait_seconds");
        for (const char* own : {"load", "forward", "backward", "update", "other"}) {
            rank_0 += epoch(0).at(std::string(own) + "_seconds").get<double>();
        }
        CHECK(rank_0 >= 3 * 0.05);
    }
}

TEST_CASE("without overlap nothing is exchanged during backward") {
    for (const std::string mode : {"threads", "procs"}) {
        const tests::TemporaryFolder folder;
        const std::string out = folder.path() / "results";
        REQUIRE(
            run_program(small_run({"--mode", mode, "-n", "2", "--overlap", "off", "--out", out}))
                .exit_code == 0);
        const auto json =
            nlohmann::json::parse(std::ifstream(fs::path(out) / ("run-" + mode + "-n2-r1.json")));
        CHECK(json.at("config").at("overlap") == false);
        for (const auto& worker : json.at("result").at("workers")) {
            CHECK(worker.at("epochs").at(0).at("exchange").at("hidden_seconds") == 0.0);
        }
    }
}

TEST_CASE("too small a thread limit is an error and not fewer workers") {
    const auto result =
        run_program(small_run({"--mode", "threads", "-n", "2"}), {"OMP_THREAD_LIMIT=1"});
    CHECK(result.exit_code == 4);
    CHECK(holds(result.err, "1 threads of 2"));
}

TEST_CASE("bfloat16 is refused where the CPU does not multiply it") {
    const auto result = tests::run_program({"--precision", "bf16"}, {"ONEDNN_MAX_CPU_ISA=AVX2"});
    CHECK(result.exit_code == 4);
    CHECK(tests::holds(result.err, "--precision bf16 needs a CPU with avx512_bf16 or AMX"));
    CHECK(tests::holds(result.err, "--precision fp32"));
    CHECK(result.out.find("Epoch") == std::string::npos);
}
