// Mode mpi as a user runs it: started by dp_compare, and by mpirun.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/base/affinity.hpp"
#include "core/exchange/message_reductions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/data.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using tests::count_of;
using tests::has_mpi;
using tests::join;
using tests::kAllowed;
using tests::mpirun;
using tests::training;
using tests::two_ranks;
using tests::Words;

namespace fs = std::filesystem;

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
            join(join(two_ranks("unshare --time --monotonic 1000 \"$@\""), {program}), run),
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
