// Predictions for several designs of one mode.
#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"
#include "experiments/predict/output.hpp"
#include "experiments/predict/predict.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using namespace dp::experiments;

TEST_CASE("each design of a mode is predicted from the times of its own reduction") {
    const tests::TemporaryFolder folder;
    const std::vector<std::string> reductions{"in-place", "in-place-tree"};
    for (const std::string& reduction : reductions) {
        for (const std::size_t workers : {1U, 2U}) {
            for (const std::size_t repetition : {1U, 2U}) {
                auto run = tests::made_run("threads", workers, repetition, 0.05);
                run.settings.config.reduction = run.result.reduction = reduction;
                tests::write_made_run(folder.path(), run);
            }
        }
    }
    std::vector<allreduce::Row> rows;
    for (const std::size_t bytes : {2'000'000U, 4'591'656U, 8'000'000U}) {
        allreduce::Row row;
        row.bytes = bytes;
        row.mode = "threads";
        row.workers = 2;
        row.reduction = reductions[1];
        row.repetitions = 100;
        row.time_us.median = 40.0 + 1e-4 * static_cast<double>(bytes);
        rows.push_back(row);
    }
    predict::Request request;
    request.folder = folder.path();
    request.workers = {8};
    const auto predictions =
        predict::make_predictions(analysis::analyse(read_results(folder.path()), rows), request);
    REQUIRE(predictions.modes.size() == 2);
    CHECK(predictions.modes[0].design == "threads");
    CHECK_FALSE(predictions.modes[0].predictor);
    CHECK(tests::holds(predictions.modes[0].predictor.reason(), "--reduction in-place -n 2"));
    CHECK(predictions.modes[1].design == "threads/in-place-tree");
    CHECK(predictions.modes[1].reduction == "in-place-tree");
    CHECK(predictions.modes[1].predictor.has_value());
    const std::string text = predict::format_predictions(predictions, request);
    CHECK(tests::holds(text, "\ndesign                    N "));
    CHECK(tests::holds(text, "\nthreads/in-place-tree     8 "));
}
