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
    epoch.wall_seconds = 36.5;
    epoch.phase_seconds = {1, 2, 3, 4, 5, 6, 7, 8};
    epoch.exchange = {0.5, 0.25, 1000, 3};
    epoch.usage = {20.5, 7, 11, 2, HardwareCounts{1e9, 2e9, 3e6}, 2600.0};
    epoch.wait_for_off_cpu_seconds = -0.25;
    epoch.late_at_exchange = {3, 0.125};
    epoch.late_at_publish = {1, 0.0625};
    epoch.phase_cpu_seconds = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5};
    result.supervisor_memory = {10, 20, 30};
    result.workers = {
        {1, 42, 0.25, {1, 2, 3, 4096}, {{5, 6, 7}}, {epoch}, {{{1, 2}, {3, 4}, {5, 6}}}}};

    result.workers[0].clock = {-1.5, 20.0, 0.001};
    result.workers[0].steps.resize(1);
    result.workers[0].steps[0][StepPart::kWait] = {4'294'967'295U, 7};
    result.times_left_out = true;

    const nlohmann::ordered_json json = result;
    const auto copy = nlohmann::ordered_json::parse(json.dump()).get<RunResult>();
    CHECK(nlohmann::ordered_json(copy) == json);
    CHECK(copy.workers.at(0).clock->drift_ppm == 20.0);
    CHECK(copy.times_left_out);
    CHECK(copy.test_loss == result.test_loss);
    CHECK(copy.workers.at(0).epochs.at(0).phase_seconds == epoch.phase_seconds);
    CHECK(copy.workers.at(0).epochs.at(0).phase_cpu_seconds == epoch.phase_cpu_seconds);
    CHECK(copy.workers.at(0).epochs.at(0).exchange.sent_bytes == 1000);
    CHECK(copy.workers.at(0).epochs.at(0).usage.migrations == 2);
    CHECK(copy.workers.at(0).epochs.at(0).usage.counts == epoch.usage.counts);
    CHECK(copy.workers.at(0).epochs.at(0).usage.cpu_mhz == 2600.0);
    CHECK(copy.workers.at(0).epochs.at(0).wait_for_off_cpu_seconds == -0.25);
    CHECK(copy.workers.at(0).process_memory->shared_bytes == 7);
    CHECK(copy.workers.at(0).arrivals.at(0).publish_ns == std::vector<std::int64_t>{3, 4});
    CHECK(copy.workers.at(0).steps.at(0).columns == result.workers[0].steps[0].columns);
    CHECK(copy.images_per_second() == 50.0);
}

TEST_CASE("what the kernel does not tell is null in JSON, and absent again when read back") {
    RunResult result;
    WorkerEpoch epoch;
    epoch.usage.migrations = std::nullopt;
    result.workers = {{0, 1, 0.0, {}, {}, {epoch}, {}}};
    const nlohmann::ordered_json json = result;
    CHECK(json.at("supervisor_memory").is_null());
    const auto copy = json.get<RunResult>();
    CHECK(!copy.supervisor_memory);
    CHECK(!copy.workers.at(0).process_memory);
    CHECK(!copy.workers.at(0).epochs.at(0).usage.migrations);
    CHECK(!copy.workers.at(0).epochs.at(0).phase_cpu_seconds);
}

TEST_CASE("the rank that comes last in a step is late by its distance to the last but one") {
    RunResult result;
    result.epochs.resize(1);
    const auto rank = [](std::vector<std::int64_t> exchange, std::vector<std::int64_t> publish) {
        WorkerReport report;
        report.epochs.resize(1);
        report.arrivals = {{std::move(exchange), std::move(publish)}};
        return report;
    };
    result.workers = {rank({10, 50, 90}, {1, 1, 2}), rank({40, 20, 95}, {2, 2, 1}),
                      rank({30, 30, 95}, {3, 3, 3})};
    SECTION("at both meetings") {
        attribute_lateness(result);
        const auto late = [&](std::size_t i) { return result.workers[i].epochs[0]; };
        CHECK(late(0).late_at_exchange.steps == 1);  // the second: 50 after 30
        CHECK(late(0).late_at_exchange.seconds == Approx(20e-9));
        CHECK(late(1).late_at_exchange.steps == 1);  // the first: 40 after 30; the third is a tie
        CHECK(late(1).late_at_exchange.seconds == Approx(10e-9));
        CHECK(late(2).late_at_exchange.steps == 0);
        CHECK(late(2).late_at_publish.steps == 3);
        CHECK(late(2).late_at_publish.seconds == Approx(3e-9));
        CHECK(result.workers[0].arrivals.empty());
        CHECK_FALSE(late(0).wait_for_off_cpu_seconds);  // of ranks whose CPU time is not known
    }
    SECTION("with what is waited for ranks off their CPUs") {
        for (WorkerReport& worker : result.workers) {
            worker.epochs[0].phase_cpu_seconds.emplace();
            worker.arrivals[0].off_cpu_ns = {0, 0, 0};
        }
        result.workers[1].arrivals[0].off_cpu_ns[0] = 4;  // of the 10 by which it is last
        attribute_lateness(result);
        CHECK(result.workers[0].epochs[0].wait_for_off_cpu_seconds == Approx(4e-9));
        CHECK(result.workers[1].epochs[0].wait_for_off_cpu_seconds == Approx(0.0));
    }
    SECTION("without a meeting at publish") {
        for (WorkerReport& worker : result.workers) worker.arrivals[0].publish_ns.clear();
        attribute_lateness(result);
        CHECK(result.workers[2].epochs[0].late_at_publish.steps == 0);
        CHECK(result.workers[0].epochs[0].late_at_exchange.steps == 1);
    }
}

TEST_CASE("in each step that is kept a rank is late by its distance to the first to come") {
    RunResult result;
    result.epochs.resize(1);
    const auto rank = [](std::vector<std::int64_t> exchange) {
        WorkerReport report;
        report.epochs.resize(1);
        report.arrivals = {{std::move(exchange), {}}};
        report.steps.resize(1);
        for (std::size_t part = 0; part <= static_cast<std::size_t>(StepPart::kHidden); ++part) {
            report.steps[0].columns[part] = {1, 1};  // of three steps two are kept
        }
        return report;
    };
    result.workers = {rank({10'000, 50'000, 1}), rank({40'400, 20'000, 1}),
                      rank({30'000, 30'000, 1})};
    attribute_lateness(result);
    const auto late = [&](std::size_t i) {
        return result.workers[i].steps[0][StepPart::kLateAtExchange];
    };
    using Column = std::vector<std::uint32_t>;
    CHECK(late(0) == Column{0, 30});
    CHECK(late(1) == Column{30, 0});
    CHECK(late(2) == Column{20, 10});
    // Where ranks do not meet at publish, nobody is late there.
    CHECK(result.workers[0].steps[0][StepPart::kLateAtPublish].empty());
}

TEST_CASE("one rank alone is never late") {
    const std::vector<std::int64_t> alone{1, 2};
    const std::vector<const std::vector<std::int64_t>*> all{&alone};
    CHECK(find_lateness(all).at(0).steps == 0);
}

TEST_CASE("the mean phase seconds are means over workers of sums over epochs") {
    RunResult result;
    WorkerEpoch epoch;
    epoch.phase_seconds[0] = 1.0;
    result.workers = {{0, 1, 0.0, {}, {}, {epoch, epoch}, {}}, {1, 2, 0.0, {}, {}, {epoch}, {}}};
    CHECK(result.mean_phase_seconds()[0] == 1.5);
}
