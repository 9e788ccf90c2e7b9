// One replica whose step is split over threads: whose images it takes, and when it has serial's
// bits.
#include <cmath>

#include "core/data/synthetic.hpp"
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jobs.hpp"

using namespace dp;

TEST_CASE("threads of one replica share the steps of one worker") {
    const core::Dataset data = core::make_synthetic(1, 100, 40);
    core::RunConfig config = tests::small_config("serial", 1);
    const core::RunResult serial = experiments::run_job(tests::make_job(config, data));
    config.mode = "intraop";
    const core::RunResult one = experiments::run_job(tests::make_job(config, data));
    CHECK(one.checksum == serial.checksum);
    CHECK(one.test_loss == serial.test_loss);

    config.workers = 3;
    const core::RunResult three = experiments::run_job(tests::make_job(config, data));
    CHECK(three.steps_per_epoch == serial.steps_per_epoch);
    REQUIRE(three.workers.size() == 1);
    CHECK(three.workers[0].threads == 3);
    CHECK(three.epochs[0].images == 100);
    CHECK(three.workers[0].epochs[0].exchange.sent_bytes == 0);
    // The first step's loss is of the same parameters, the rest drift apart by rounding alone.
    CHECK(std::abs(three.epochs[0].train_loss - serial.epochs[0].train_loss) <
          1e-4 * serial.epochs[0].train_loss);
}
