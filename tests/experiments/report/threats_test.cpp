// What a report says of the doubts about its figures.
#include "experiments/report/threats.hpp"

#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using namespace dp::experiments::analysis;
using namespace dp::experiments::report;
using tests::TemporaryFolder;

TEST_CASE("the CPUs that workers took turns on are those that they were bound to") {
    const TemporaryFolder folder;
    for (const char* mode : {"threads", "procs"}) {
        auto record = tests::made_run(mode, 4, 1, 0.05);
        record.settings.oversubscribed = true;
        if (mode == std::string("procs")) {
            for (core::WorkerReport& worker : record.result.workers) worker.cpus = {1};
        }
        tests::write_made_run(folder.path(), record);
    }
    const auto threats = find_threats(analyse(folder.path()));
    const auto told = std::ranges::find(threats, "More workers than CPUs", &Threat::title);
    REQUIRE(told != threats.end());
    CHECK_THAT(told->text, Catch::StartsWith("procs, N = 4 ran on 1 CPU; threads, N = 4 ran on 2 "
                                             "CPUs. Their workers take turns"));
}
