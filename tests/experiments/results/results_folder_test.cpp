// A folder of results, written and read back.
#include "experiments/results/results_folder.hpp"

#include <cstdlib>
#include <fstream>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/results.hpp"

using namespace dp;

TEST_CASE("runs read back are those that were written, by worker count, mode and repetition") {
    const tests::TemporaryFolder folder;
    tests::write_made_run(folder.path(), tests::made_run("procs", 2, 1, 0.055));
    tests::write_made_run(folder.path(), tests::made_run("threads", 2, 2, 0.053));
    tests::write_made_run(folder.path(), tests::made_run("threads", 2, 1, 0.052));
    tests::write_made_run(folder.path(), tests::made_run("serial", 1, 1, 0.05));
    experiments::Run failed = tests::made_run("procs", 10, 1, 1.0);
    failed.failure = {core::ExitCode::kWorkerDied, "worker 3 was killed", 3, 9};
    tests::write_made_run(folder.path(), failed);

    const auto results = experiments::read_results(folder.path());
    REQUIRE(results.failed.size() == 1);
    CHECK(results.failed[0].failure->reason == "worker 3 was killed");
    REQUIRE(results.runs.size() == 4);
    CHECK(results.failed[0].failure->code == core::ExitCode::kWorkerDied);
    CHECK(results.failed[0].failure->rank == 3);
    CHECK(results.failed[0].failure->signal == 9);
    const auto is = [&](std::size_t i, const char* mode, std::size_t workers,
                        std::size_t repetition, double seconds) {
        const experiments::Run& run = results.runs[i];
        CHECK(run.mode() == mode);
        CHECK(run.workers() == workers);
        CHECK(run.repetition == repetition);
        CHECK(run.result.train_seconds() == 100 * seconds);
        CHECK(run.settings.config.batch_size == 128);
        CHECK_FALSE(run.failure);
    };
    is(0, "serial", 1, 1, 0.05);
    is(1, "threads", 2, 1, 0.052);
    is(2, "threads", 2, 2, 0.053);
    is(3, "procs", 2, 1, 0.055);
    CHECK(results.runs[3].result.workers.size() == 2);
}

TEST_CASE("runs that gzip has packed are read as before, and damaged ones are named") {
    const tests::TemporaryFolder folder;
    const experiments::Run run = tests::made_run("threads", 2, 1, 0.052);
    tests::write_made_run(folder.path(), run);
    const std::string file = folder.path() / experiments::run_file_name(run);
    REQUIRE(std::system(("gzip '" + file + "'").c_str()) == 0);
    const auto results = experiments::read_results(folder.path());
    REQUIRE(results.runs.size() == 1);
    CHECK(results.runs[0].result.train_seconds() == 100 * 0.052);
    std::filesystem::resize_file(file + ".gz", std::filesystem::file_size(file + ".gz") / 2);
    CHECK(tests::holds(tests::data_error_of([&] { experiments::read_results(folder.path()); }),
                       file + ".gz cannot be unpacked"));
}

TEST_CASE("a folder without runs and a file that is no run are refused by name") {
    const tests::TemporaryFolder folder;
    CHECK_THROWS_WITH(experiments::read_results(folder.path() / "none"),
                      Catch::Contains("is not a folder"));
    CHECK_THROWS_WITH(experiments::read_results(folder.path()), Catch::Contains("no run-*.json"));
    const auto write = [&](const std::string& text) {
        std::ofstream(folder.path() / "run-serial-n1-r1.json") << text;
    };
    write("{\"schema\": \"dp_compare.run/9\"}");
    CHECK_THROWS_WITH(
        experiments::read_results(folder.path()),
        Catch::Contains("run-serial-n1-r1.json") && Catch::Contains("dp_compare.run/9"));
    for (const char* text : {"", "{", "{\"schema\": \"dp_compare.run/1\"}", "[]"}) {
        INFO(text);
        write(text);
        CHECK_THROWS_WITH(experiments::read_results(folder.path()),
                          Catch::Contains("run-serial-n1-r1.json"));
    }
}
