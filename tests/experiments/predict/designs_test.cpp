// Predictions for several designs of one mode.
#include <string>

#include "experiments/analysis/analysis.hpp"
#include "experiments/predict/predict.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/results.hpp"

using namespace dp;
using namespace dp::experiments;

TEST_CASE("each design of a mode is predicted from its own steps") {
    const tests::TemporaryFolder folder;
    for (const bool is_tree : {false, true}) {
        for (const std::size_t workers : {1U, 2U}) {
            for (const std::size_t repetition : {1U, 2U}) {
                const double slower = is_tree && workers == 2 ? 1.5 : 1.0;
                auto run = tests::made_run("threads", workers, repetition, 0.05 * slower);
                run.settings.config.reduction = run.result.reduction =
                    is_tree ? "in-place-tree" : "in-place";
                tests::write_made_run(folder.path(), run);
            }
        }
    }
    predict::Request request;
    request.folder = folder.path();
    request.workers = {4};
    const auto analysis = analysis::analyse(read_results(folder.path()));
    const auto models = predict::make_predictions(analysis, request);
    REQUIRE(models.size() == 2);
    CHECK(models[0].design == "threads");
    CHECK(models[1].design == "threads/in-place-tree");
    for (const auto& each : models) REQUIRE(each.predictions.size() == 1);
    CHECK(models[0].predictions[0].step_seconds.range.high <
          models[1].predictions[0].step_seconds.range.low);
    CHECK(tests::holds(predict::format_predictions(models, analysis), "threads/in-place-tree"));
}
