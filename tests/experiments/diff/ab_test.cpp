// `dp_compare ab`: two programs measured in turn.
#include "experiments/diff/ab.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using namespace dp::experiments;
using namespace dp::experiments::diff;
using tests::holds;

TEST_CASE("of two programs in turn each runs first in every other pair") {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
        const auto sides = first_sides(9, seed);
        REQUIRE(sides.size() == 9);
        for (std::size_t pair = 0; pair + 1 < sides.size(); pair += 2) {
            CHECK(sides[pair] + sides[pair + 1] == 1);
        }
    }
    CHECK(first_sides(40, 1) != first_sides(40, 2));
    CHECK(first_sides(40, 1) == first_sides(40, 1));
}

TEST_CASE("dp_compare ab measures both commands, keeps their results and compares pairs") {
    const tests::TemporaryFolder folder;
    const std::string out = (folder.path() / "ab").string();
    const std::string json = (folder.path() / "ab.json").string();
    const std::string command =
        tests::program_path().string() + " --mode serial -n 1 --steps 1 --epochs 1 --batch-size 8";
    const auto result = tests::run_program({"ab", "--a", command, "--b", command + " --seed 2",
                                            "--pairs", "2", "--out", out, "--json", json});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "pair   2/2"));
    CHECK(holds(result.out, "pairs"));
    for (const char* name : {"a/001", "a/002", "b/001", "b/002"}) {
        CHECK(std::filesystem::exists(std::filesystem::path(out) / name / "run-serial-n1-r1.json"));
    }
    const auto document = nlohmann::json::parse(std::ifstream(json));
    CHECK(document.at("samples") == "pairs");
    CHECK(document.at("configurations").at(0).at("repetitions_before") == 2);

    const auto again =
        tests::run_program({"ab", "--a", command, "--b", command, "--pairs", "1", "--out", out});
    CHECK(again.exit_code == 2);
    CHECK(holds(again.err, "--force"));
    const auto few = tests::run_program({"ab", "--a", command, "--b", command, "--pairs", "1",
                                         "--out", out, "--force", "--fail-above", "5%"});
    CHECK(few.exit_code == 9);
    CHECK(holds(few.err, "--pairs 6"));
    const auto wrong = tests::run_program(
        {"ab", "--a", command, "--b", command + " --mode none", "--out", out, "--force"});
    CHECK(wrong.exit_code == 1);
    CHECK(holds(wrong.err, "exited with 2"));
    const auto missing =
        tests::run_program({"ab", "--a", "/no/program", "--b", command, "--out", out, "--force"});
    CHECK(missing.exit_code == 2);
    CHECK(holds(missing.err, "/no/program"));
}
