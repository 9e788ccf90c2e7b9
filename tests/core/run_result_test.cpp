// A run's result on its way through JSON.
#include "core/train/run_result.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace dp::core;

TEST_CASE("a result read back from JSON is the one that was written") {
    RunResult result;
    result.total_seconds = 12.5;
    result.test_loss = 0.1;  // not exact in binary: shows that no digit is lost
    result.test_accuracy = 0.75;
    result.checksum = "00ff";
    result.update_kind = "sliced";
    result.reduction = "in-place";
    result.steps_per_epoch = 3;
    result.batches_tracked = 6;
    result.exchange_buckets = 2;
    result.epochs = {{100, 1.5, 0.5, 1.25, 0.625, 2.0, 0.5}};
    WorkerEpoch epoch;
    epoch.images = 50;
    epoch.wall_seconds = 28.5;
    epoch.phase_seconds = {1, 2, 3, 4, 5, 6, 7};
    epoch.exchange = {0.5, 0.25, 1000, 3};
    result.workers = {{1, 42, 0.25, 4096, {epoch}}};

    const nlohmann::ordered_json json = result;
    const auto copy = nlohmann::ordered_json::parse(json.dump()).get<RunResult>();
    CHECK(nlohmann::ordered_json(copy) == json);
    CHECK(copy.test_loss == result.test_loss);
    CHECK(copy.workers.at(0).epochs.at(0).phase_seconds == epoch.phase_seconds);
    CHECK(copy.workers.at(0).epochs.at(0).exchange.sent_bytes == 1000);
    CHECK(copy.images_per_second() == 50.0);
}

TEST_CASE("the mean phase seconds are means over workers of sums over epochs") {
    RunResult result;
    WorkerEpoch epoch;
    epoch.phase_seconds[0] = 1.0;
    result.workers = {{0, 1, 0.0, 0, {epoch, epoch}}, {1, 2, 0.0, 0, {epoch}}};
    CHECK(result.mean_phase_seconds()[0] == 1.5);
}
