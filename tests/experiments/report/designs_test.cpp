// Who wins among several designs, and why: of constructed runs.
#include <array>

#include "experiments/analysis/analysis.hpp"
#include "experiments/analysis/winner.hpp"
#include "experiments/report/markdown.hpp"
#include "experiments/report/report.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/report_runs.hpp"

using namespace dp;
using namespace dp::experiments::analysis;
using tests::TemporaryFolder;

namespace {

/// Six repetitions of two workers whose exchange takes `transfer_seconds` a step beside 10 ms of
/// computing that differ by `noise` of themselves, each in its own way.
void write_design(const TemporaryFolder& folder, const std::string& mode,
                  const std::string& reduction, double transfer_seconds, double noise = 0.0) {
    const std::array shift{1.0, -1.0, 0.5, -0.5, 0.8, -0.7};
    for (std::size_t r = 1; r <= shift.size(); ++r) {
        const double own = reduction == "in-place" ? shift.at(r - 1) : shift.at(6 - r);
        const double computing = 0.010 * (1.0 + noise * own);
        const double transfer = transfer_seconds * (1.0 + 0.01 * shift.at(r - 1));
        auto run = tests::made_run(mode, 2, r, computing + transfer);
        run.settings.config.reduction = run.result.reduction = reduction;
        for (core::WorkerReport& worker : run.result.workers) {
            auto& epoch = worker.epochs.front();
            epoch.phase_seconds.fill(0.0);
            epoch.phase_seconds[static_cast<std::size_t>(core::Phase::kBackward)] = 100 * computing;
            epoch.phase_seconds[static_cast<std::size_t>(core::Phase::kExchange)] = 100 * transfer;
            epoch.exchange.sent_bytes = reduction == "tree" ? 200 : 100;
        }
        tests::write_made_run(folder.path(), run);
    }
}

std::string report_of(const Analysis& analysis) {
    return experiments::report::to_markdown(experiments::report::make_document(analysis, {}));
}

}  // namespace

TEST_CASE("the report says which design wins and in which part the others lose") {
    const TemporaryFolder folder;
    write_design(folder, "threads", "in-place", 0.001);
    write_design(folder, "threads", "tree", 0.004);
    write_design(folder, "procs", "ring", 0.0015);
    const Analysis analysis = analyse(folder.path());
    const auto winners = find_winners(analysis);
    REQUIRE(winners.size() == 1);
    CHECK(winners[0].configuration->design == "threads");
    REQUIRE(winners[0].rivals.size() == 2);
    for (const Rival& rival : winners[0].rivals) {
        CHECK(rival.shown);
        REQUIRE(rival.reason() != nullptr);
        CHECK(rival.reason()->name == "transfer");
    }
    CHECK_THAT(report_of(analysis),
               Catch::Contains("N = 2: threads trains the most images/s (") &&
                   Catch::Contains(" by the median) and wins; ") &&
                   Catch::Contains("shown to be slower: threads/tree (21.") &&
                   Catch::Contains(
                       "Why: the slower ones lose most of their time against threads in transfer: "
                       "threads/tree (3.00 ms of the 3.00 ms that its step is longer, "
                       "96.9 % interval ") &&
                   Catch::Contains("a worker sends 2 B a step, not 1 B"));
}

TEST_CASE("what the noise hides has no winner, and no reason") {
    const TemporaryFolder folder;
    write_design(folder, "threads", "in-place", 0.001, 0.2);
    write_design(folder, "threads", "tree", 0.0011, 0.2);
    write_design(folder, "procs", "ring", 0.0012, 0.2);
    const Analysis analysis = analyse(folder.path());
    for (const Rival& rival : find_winners(analysis).at(0).rivals) {
        CHECK(rival.judged);
        CHECK_FALSE(rival.shown);
    }
    CHECK_THAT(report_of(analysis), Catch::Contains("but is not shown to be the fastest") &&
                                        Catch::Contains("not told apart from it by these runs: ") &&
                                        !Catch::Contains("Why: "));
}
