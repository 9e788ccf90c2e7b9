// `dp_compare diff` as its user meets it: options, files, exit codes.
#include "experiments/diff/diff.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

#include "experiments/options/option_values.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/diff_runs.hpp"
#include "tests/support/program.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using namespace dp::experiments;
using namespace dp::experiments::diff;
using tests::add_runs;
using tests::error_of;
using tests::holds;

TEST_CASE("a share is per cent or a number below 1") {
    CHECK(parse_share("--x", "5%") == Approx(0.05));
    CHECK(parse_share("--x", "5 %") == Approx(0.05));
    CHECK(parse_share("--x", "0.05") == Approx(0.05));
    CHECK(parse_share("--x", "0") == 0.0);
    CHECK(parse_share("--x", "99.5%") == Approx(0.995));
    for (const char* text : {"", "%", "5", "1", "-5%", "100%", "5%%", "x", "nan", "5 % ", "0,05"}) {
        INFO(text);
        const auto error = error_of([&] { parse_share("--x", text); });
        REQUIRE(error);
        CHECK(error->code() == core::ExitCode::kUsage);
        CHECK(holds(error->what(), fmt::format("--x '{}'", text)));
    }
}

TEST_CASE("dp_compare diff exits with 8 on a regression above the limit alone") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 5);
    add_runs(after, "threads", 2, 50.0 / 0.9, 5, 5);
    const std::string a = before.path().string(), b = after.path().string();
    const std::string json = (after.path() / "diff.json").string();

    const auto plain = tests::run_program({"diff", a, b, "--json", json});
    CHECK(plain.exit_code == 0);
    CHECK(holds(plain.out, "slower"));
    CHECK_FALSE(holds(plain.out, "WARNING"));
    const auto document = nlohmann::json::parse(std::ifstream(json));
    CHECK(document.at("schema") == "dp_compare.diff/2");
    CHECK(document.at("configurations").at(0).at("verdict") == "slower");
    CHECK(document.at("configurations").at(0).at("regression").is_null());

    const auto regression = tests::run_program({"diff", a, b, "--fail-above", "5%"});
    CHECK(regression.exit_code == 8);
    CHECK(holds(regression.out, "threads"));
    CHECK(holds(regression.err, "threads N = 2: 9.8 % slower"));
    CHECK(tests::run_program({"diff", a, b, "--fail-above", "20%"}).exit_code == 0);
    CHECK(tests::run_program({"diff", a, a, "--fail-above", "0%"}).exit_code == 0);
    const auto limit = tests::run_program({"diff", a, b, "--fail-above", "5"});
    CHECK(limit.exit_code == 2);
    CHECK(holds(limit.err, "--fail-above '5'"));
    CHECK(tests::run_program({"diff", a}).exit_code == 2);
    CHECK(tests::run_program({"diff", a + ",", b}).exit_code == 2);
    CHECK(holds(plain.out, "--between-sweeps"));
    const auto told = tests::run_program({"diff", a, b, "--between-sweeps", "10%"});
    CHECK(holds(told.out, "no difference shown"));
    const auto both = tests::run_program({"diff", a + "," + a, b, "--between-sweeps", "10%"});
    CHECK(both.exit_code == 2);
    CHECK(holds(both.err, "several folders"));
    CHECK(tests::run_program({"diff", a, (before.path() / "none").string()}).exit_code == 2);
}

TEST_CASE("dp_compare diff --fail-above exits with 9 where it could not judge") {
    const tests::TemporaryFolder one, three, slow, busy;
    add_runs(one, "threads", 2, 50.0, 1);
    add_runs(three, "threads", 2, 50.0, 3);
    add_runs(slow, "threads", 2, 100.0, 3, 5);
    for (std::size_t repetition = 1; repetition <= 5; ++repetition) {
        auto run = tests::made_run("threads", 2, repetition, 0.05);
        run.settings.oversubscribed = true;
        tests::write_made_run(busy.path(), run);
    }
    const std::string a = one.path().string(), b = three.path().string();
    const std::string c = slow.path().string(), d = busy.path().string();
    CHECK(tests::run_program({"diff", a, b}).exit_code == 0);
    for (const auto& [before, after] : {std::pair(a, b), std::pair(b, c)}) {
        const auto few = tests::run_program({"diff", before, after, "--fail-above", "5%"});
        CHECK(few.exit_code == 9);
        CHECK(holds(few.out, "too few repetitions"));
        CHECK(holds(few.err, "could not be judged"));
        CHECK(holds(few.err, "--reps 4"));
    }
    const auto none = tests::run_program({"diff", d, d, "--fail-above", "5%"});
    CHECK(none.exit_code == 9);
    CHECK(holds(none.err, "more workers than usable CPUs"));
    const std::string json = (busy.path() / "diff.json").string();
    CHECK(tests::run_program({"diff", d, d, "--json", json}).exit_code == 0);
    CHECK(nlohmann::json::parse(std::ifstream(json)).at("repetitions_needed").is_null());
}

TEST_CASE("dp_compare diff refuses a folder of another schema by the file's name") {
    const tests::TemporaryFolder before, after;
    add_runs(before, "threads", 2, 50.0, 2);
    add_runs(after, "threads", 2, 50.0, 2);
    std::ofstream(after.path() / "run-threads-n2-r2.json")
        << R"({"schema": "dp_compare.run/9", "status": "complete"})";
    const auto mixed = tests::run_program({"diff", before.path().string(), after.path().string()});
    CHECK(mixed.exit_code == 3);
    CHECK(mixed.out.empty());
    CHECK(holds(mixed.err, "run-threads-n2-r2.json"));
    CHECK(holds(mixed.err, "dp_compare.run/9"));
}
