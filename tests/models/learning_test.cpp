// The built-in data set is learned by the network it is for (synthetic_test.cpp: and not by a
// linear one).
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jobs.hpp"

using namespace dp;

TEST_CASE("cifar_cnn passes 90 percent on the default synthetic set in two epochs") {
    const core::Dataset data = core::make_synthetic(1);
    core::RunConfig config;
    config.epochs = 2;
    const core::RunResult result = experiments::run_job(tests::make_job(config, data));
    CHECK(result.test_accuracy > 0.9);
    CHECK(result.epochs.at(1).train_loss < result.epochs.at(0).train_loss);
}
