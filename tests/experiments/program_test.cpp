// The program as its user meets it: what it prints, its files, its exit codes.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include <nlohmann/json.hpp>

#include "core/checkpoint/checkpoint.hpp"
#include "core/measure/phase_clock.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"
#include "tests/support/small_run.hpp"

using namespace dp;
using tests::holds;
using tests::run_program;
using tests::small_run;

namespace {

namespace fs = std::filesystem;

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
                for (const auto name : core::kPhaseNames) {
                    sum += epoch.at(std::string(name) + "_seconds").get<double>();
                }
                const double wall = epoch.at("wall_seconds");
                CHECK(std::abs(sum - wall) < 1e-6);  // one clock
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
