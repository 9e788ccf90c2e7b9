// The sentences at the head of a report, and what its tables call their intervals.
#include "experiments/report/findings.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using namespace dp::experiments::analysis;
using namespace dp::experiments::report;
using tests::TemporaryFolder;
using tests::write_repetitions;

TEST_CASE("the name of intervals tells which rows have which") {
    const TemporaryFolder folder;
    write_repetitions(folder, "serial", 1, 0.05, 5);
    CHECK(brackets_note(analyse(folder.path())) == "; in brackets the range");
    write_repetitions(folder, "threads", 2, 0.0625, 6);
    CHECK(interval_names(analyse(folder.path())) ==
          "range (5 repetitions) or 96.9 % interval (6 repetitions)");
    write_repetitions(folder, "serial", 1, 0.05, 6);
    CHECK(interval_names(analyse(folder.path())) == "96.9 % interval");
}
