// The step model, predictions from it and isoefficiency: known costs come back, an N held out is
// met, and what cannot be known is refused.
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/check.hpp"
#include "experiments/statistics/isoefficiency.hpp"
#include "experiments/statistics/prediction.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

constexpr double kBytes = 4e6;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// 1 us per signal, 1 GB/s of bytes moved.
const ExchangeCosts kDirect{"direct", [](double ranks) { return 2.0 * (ranks - 1.0); },
                            [](double) { return 2.0; }};

ExchangeModel direct_exchange() {
    std::vector<ExchangeTime> rows;
    for (const std::size_t ranks : {2, 4, 8}) {
        for (const double bytes : {1e4, 1e5, 1e6, 1e7}) {
            const ExchangeCounts counts = counts_of(kDirect, ranks, bytes);
            rows.push_back({ranks, bytes, 1e-6 * counts.signals + 1e-9 * counts.moved_bytes});
        }
    }
    return *ExchangeModel::calibrate(kDirect, rows);
}

double exchange_seconds(std::size_t workers) {
    if (workers == 1) return 0.0;
    return 2e-6 * (static_cast<double>(workers) - 1) + 2e-9 * kBytes;
}

/// Of 100 images: load 2 ms, compute 40 ms x inflation, update 3 ms, other 1 ms, and waiting.
StepParts step_of(std::size_t workers, double inflation, double waiting) {
    StepParts step;
    step.load = 2e-3;
    step.compute = 40e-3 * inflation;
    step.transfer = exchange_seconds(workers);
    step.wait = step.compute * waiting;
    step.update = 3e-3;
    step.other = 1e-3;
    return step;
}

MeasuredPoint point(std::size_t workers, double inflation, double waiting) {
    return {workers, 100, std::vector<StepParts>(5, step_of(workers, inflation, waiting))};
}

/// Inflation 1 + slope (N-1), waiting 1 % per further worker, parts that vary by `deviation`.
MeasuredPoint noisy_point(std::mt19937_64& engine, std::size_t workers, double slope,
                          double deviation) {
    std::normal_distribution<double> normal(0.0, deviation);
    const auto further = static_cast<double>(workers - 1);
    MeasuredPoint result{workers, 100, {}};
    for (int i = 0; i < 5; ++i) {
        StepParts step = step_of(workers, 1.0 + slope * further, 0.01 * further);
        step.compute *= std::exp(normal(engine));
        result.repetitions.push_back(step);
    }
    return result;
}

Predictor predictor_of(std::vector<MeasuredPoint> points) {
    return *Predictor::make(points, direct_exchange(), {kBytes, false});
}

StepModel model_of(std::vector<MeasuredPoint> points, bool sliced_update = false) {
    return *StepModel::fit(points, direct_exchange(), {kBytes, sliced_update});
}

}  // namespace

TEST_CASE("a typical step has the median's length and the mean's proportions", "[statistics]") {
    MeasuredPoint measured{1, 10, {}};
    measured.repetitions.push_back({.compute = 1.0, .update = 1.0});  // 2
    measured.repetitions.push_back({.compute = 2.0, .update = 1.0});  // 3
    measured.repetitions.push_back({.compute = 9.0, .update = 1.0});  // 10
    const StepParts step = typical_step(measured);
    CHECK(step.total() == Approx(3.0));
    CHECK(step.compute == Approx(3.0 * 12 / 15));
    CHECK(step.update == Approx(3.0 * 3 / 15));
}

TEST_CASE("a trend that three N show goes on as a line", "[statistics]") {
    const Trend trend(1.0, std::array<Trend::Value, 2>{{{2, 1.05}, {4, 1.15}}});
    CHECK(trend.is_line());
    CHECK(trend.describe() == "linear in N");
    CHECK(trend.at(1) == 1.0);
    CHECK(trend.at(3) == Approx(1.10));
    CHECK(trend.at(9) == Approx(1.40));
}

TEST_CASE("a trend that is not shown is held at the largest N", "[statistics]") {
    const Trend two(1.0, std::array<Trend::Value, 1>{{{2, 1.05}}});
    CHECK_FALSE(two.is_line());
    CHECK(two.describe() == "as at N = 2");
    CHECK(two.at(16) == Approx(1.05));
    // Rises, then stays.
    const Trend saturated(1.0, std::array<Trend::Value, 2>{{{2, 1.10}, {4, 1.10}}});
    CHECK_FALSE(saturated.is_line());
    CHECK(saturated.at(8) == Approx(1.10));
    CHECK(saturated.at(3) == Approx(1.10));
    CHECK(Trend(1.0, {}).at(7) == 1.0);
    const Trend falling(1.0, std::array<Trend::Value, 3>{{{2, 0.95}, {3, 0.90}, {4, 0.85}}});
    CHECK(falling.at(64) == 0.85);
    CHECK(falling.at(3) == 0.90);
    CHECK_FALSE(falling.is_line());
    CHECK_THROWS_AS(Trend(1.0, std::array<Trend::Value, 2>{{{4, 1.0}, {2, 1.0}}}), CheckFailure);
}

TEST_CASE("the step model gives the parts of measured steps back", "[statistics]") {
    const StepModel model = model_of({point(1, 1.0, 0.0), point(2, 1.1, 0.02)});
    const StepParts two = model.step(2, 100);
    const StepParts truth = step_of(2, 1.1, 0.02);
    CHECK(two.load == Approx(truth.load));
    CHECK(two.compute == Approx(truth.compute));
    CHECK(two.transfer == Approx(truth.transfer));
    CHECK(two.wait == Approx(truth.wait));
    CHECK(two.update == Approx(truth.update));
    CHECK(two.other == Approx(truth.other));
    CHECK(model.step(1, 100).total() == Approx(46e-3));
}

TEST_CASE("work grows with the batch, exchange and update do not", "[statistics]") {
    const StepModel model = model_of({point(1, 1.0, 0.0), point(2, 1.1, 0.02)});
    const StepParts twice = model.step(2, 200);
    const StepParts once = model.step(2, 100);
    CHECK(twice.compute == Approx(2 * once.compute));
    CHECK(twice.load == Approx(2 * once.load));
    CHECK(twice.wait == Approx(2 * once.wait));
    CHECK(twice.transfer == once.transfer);
    CHECK(twice.update == once.update);
    CHECK(model.fixed_seconds(2) + 100 * model.seconds_per_image(2) == Approx(once.total()));
}

TEST_CASE("inflation is per image, so batches may differ between points", "[statistics]") {
    MeasuredPoint half = point(2, 1.2, 0.0);
    half.batch = 50;
    for (StepParts& step : half.repetitions) step.compute /= 2;
    CHECK(model_of({point(1, 1.0, 0.0), half}).inflation().at(2) == Approx(1.2));
}

TEST_CASE("a sliced update is shared among the workers", "[statistics]") {
    const StepModel model = model_of({point(1, 1.0, 0.0), point(2, 1.0, 0.0)}, true);
    CHECK(model.step(1, 100).update == Approx(3e-3));
    CHECK(model.step(6, 100).update == Approx(0.5e-3));
}

TEST_CASE("the prediction of a linear contention is the true step", "[statistics]") {
    const Predictor predictor =
        predictor_of({point(1, 1.0, 0.0), point(2, 1.02, 0.01), point(4, 1.06, 0.03)});
    CHECK(predictor.assumption() ==
          "every further worker has a core like those measured; compute inflation linear in N, "
          "waiting linear in N");
    const Prediction eight = predictor.predict(8, 100);
    const double truth = step_of(8, 1.14, 0.07).total();
    CHECK(eight.step.seconds == Approx(truth));
    CHECK(eight.images_per_second == Approx(800 / truth));
    CHECK(eight.efficiency == Approx(46e-3 / truth));
    CHECK(eight.speedup == Approx(8 * 46e-3 / truth));
    CHECK(predictor.predict(1, 100).speedup == Approx(1.0));
}

TEST_CASE("the largest measured N is held out and predicted", "[statistics]") {
    const Predictor predictor =
        predictor_of({point(1, 1.0, 0.0), point(2, 1.1, 0.0), point(4, 1.3, 0.0)});
    const HeldOut& check = predictor.held_out();
    CHECK(check.workers == 4);
    // From N = 1 and 2 alone, inflation is held at 1.1.
    const double expected = step_of(4, 1.1, 0.0).total();
    const double measured = step_of(4, 1.3, 0.0).total();
    CHECK(check.predicted_seconds == Approx(expected));
    CHECK(check.measured_seconds == Approx(measured));
    CHECK(check.relative_error == Approx(expected / measured - 1));
}

TEST_CASE("with two N the check predicts the second from one worker and the exchange",
          "[statistics]") {
    const Predictor predictor = predictor_of({point(1, 1.0, 0.0), point(2, 1.1, 0.02)});
    CHECK(predictor.held_out().workers == 2);
    CHECK(predictor.held_out().predicted_seconds == Approx(46e-3 + exchange_seconds(2)));
    CHECK(predictor.held_out().measured_seconds == Approx(step_of(2, 1.1, 0.02).total()));
    CHECK(predictor.assumption() ==
          "every further worker has a core like those measured; compute inflation as at N = 2, "
          "waiting as at N = 2");
}

TEST_CASE("the interval grows with the held-out error and with the distance", "[statistics]") {
    const Predictor predictor = predictor_of({point(1, 1.0, 0.0), point(2, 1.1, 0.02)});
    // No noise and an exact exchange: the interval is the held-out error alone, from 1 to 2 one
    // doubling, to 16 three.
    const double error = -std::log1p(predictor.held_out().relative_error);
    REQUIRE(error > 0.0);
    const auto half = [&](std::size_t workers) {
        const PredictedSeconds step = predictor.predict(workers, 100).step;
        CHECK(std::log(step.interval95.high / step.seconds) ==
              Approx(std::log(step.seconds / step.interval95.low)));
        return std::log(step.interval95.high / step.seconds);
    };
    CHECK(half(1) == Approx(0.0).margin(1e-12));
    CHECK(half(2) == Approx(1.96 * error));
    CHECK(half(4) == Approx(1.96 * error));
    CHECK(half(16) == Approx(3 * 1.96 * error));
}

TEST_CASE("the repetitions' spread is part of the interval", "[statistics]") {
    std::mt19937_64 engine(5);
    const Predictor predictor =
        predictor_of({noisy_point(engine, 1, 0.0, 0.1), noisy_point(engine, 2, 0.0, 0.1)});
    const PredictedSeconds one = predictor.predict(1, 100).step;
    const double half = std::log(one.interval95.high / one.seconds);
    // The median of 5 samples that vary by 10 %: 5 % or so, and Student's t of 4 is 2.8.
    CHECK(half > 0.04);
    CHECK(half < 0.4);
}

TEST_CASE("the exchange model's doubt is part of the interval", "[statistics]") {
    std::vector<ExchangeTime> rows;
    for (const double bytes : {1e4, 1e5, 1e6, 1e7}) {
        rows.push_back({2, bytes, 2e-6 + 2e-9 * bytes * (bytes < 5e5 ? 1.3 : 0.8)});
    }
    const auto exchange = ExchangeModel::calibrate(kDirect, rows);
    REQUIRE(exchange);
    // Held out N = 2 is met exactly: a transfer as predicted.
    MeasuredPoint two = point(2, 1.0, 0.0);
    for (StepParts& step : two.repetitions) step.transfer = exchange->predict(2, kBytes).seconds;
    const auto predictor =
        Predictor::make(std::vector{point(1, 1.0, 0.0), two}, *exchange, {kBytes, false});
    REQUIRE(predictor);
    const PredictedSeconds step = predictor->predict(4, 100).step;
    const PredictedSeconds transfer = exchange->predict(4, kBytes);
    const double doubt = transfer.interval95.high - transfer.seconds;
    REQUIRE(doubt > 1e-3);
    CHECK(std::log(step.interval95.high / step.seconds) == Approx(doubt / step.seconds));
}

TEST_CASE("predictions from noisy runs hold the true step", "[statistics]") {
    std::mt19937_64 engine(7);
    int held = 0;
    for (int run = 0; run < 60; ++run) {
        const Predictor predictor =
            predictor_of({noisy_point(engine, 1, 0.02, 0.01), noisy_point(engine, 2, 0.02, 0.01),
                          noisy_point(engine, 4, 0.02, 0.01)});
        const double truth = step_of(8, 1.14, 0.07).total();
        held += predictor.predict(8, 100).step.interval95.contains(truth) ? 1 : 0;
    }
    CHECK(held >= 54);  // nine of ten: the model's own error is known from one N alone
}

TEST_CASE("too little to predict from is refused with the reason", "[statistics]") {
    const auto make = [](std::vector<MeasuredPoint> points) {
        return Predictor::make(points, direct_exchange(), {kBytes, false});
    };
    CHECK(make({}).reason() == "not enough points: a prediction needs N = 1 and another, has 0");
    CHECK(make({point(1, 1.0, 0.0)}).reason() ==
          "not enough points: a prediction needs N = 1 and another, has 1");
    CHECK(make({point(2, 1.0, 0.0), point(4, 1.0, 0.0)}).reason() ==
          "no point of one worker, which all others build on");
    MeasuredPoint once = point(2, 1.0, 0.0);
    once.repetitions.resize(1);
    CHECK(make({point(1, 1.0, 0.0), once}).reason() ==
          "not enough repetitions: a prediction needs 2 of every N, has 1");
}

TEST_CASE("points that are no numbers or out of order are refused", "[statistics]") {
    MeasuredPoint broken = point(2, 1.0, 0.0);
    broken.repetitions[3].wait = kNan;
    CHECK_THROWS_AS(predictor_of({point(1, 1.0, 0.0), broken}), CheckFailure);
    broken.repetitions[3].wait = -1e-3;
    CHECK_THROWS_AS(predictor_of({point(1, 1.0, 0.0), broken}), CheckFailure);
    broken.repetitions[3].wait = std::numeric_limits<double>::infinity();
    CHECK_THROWS_AS(predictor_of({point(1, 1.0, 0.0), broken}), CheckFailure);
    broken.repetitions[3].wait = 0.0;
    broken.batch = 0;
    CHECK_THROWS_AS(model_of({point(1, 1.0, 0.0), broken}), CheckFailure);
    CHECK_THROWS_AS(predictor_of({point(1, 1.0, 0.0), point(1, 1.0, 0.0)}), CheckFailure);
    CHECK_THROWS_AS(model_of({MeasuredPoint{1, 100, {}}}), CheckFailure);
    CHECK_THROWS_AS(model_of({MeasuredPoint{1, 100, {StepParts{}}}}), CheckFailure);
}

TEST_CASE("several machines cost a ring between them", "[statistics]") {
    const Predictor predictor = predictor_of({point(1, 1.0, 0.0), point(2, 1.1, 0.02)});
    const Network network{50e-6, 1.25e9};
    const Prediction inside = predictor.predict(2, 100);
    const Prediction three = predictor.predict(2, 100, 3, network);
    const double between = 4 * (50e-6 + kBytes / (3 * 1.25e9));
    CHECK(three.machines == 3);
    CHECK(three.step.seconds == Approx(inside.step.seconds + between));
    CHECK(three.step.interval95.high == Approx(inside.step.interval95.high + between));
    CHECK(three.images_per_second == Approx(600 / three.step.seconds));
    CHECK(three.speedup == Approx(6 * 46e-3 / three.step.seconds));
    CHECK(three.efficiency == Approx(46e-3 / three.step.seconds));
}

TEST_CASE("several machines pay when the network takes less than a step", "[statistics]") {
    const Predictor predictor = predictor_of({point(1, 1.0, 0.0), point(2, 1.1, 0.02)});
    CHECK(machines_that_pay(predictor, 2, 100, {50e-6, 1.25e9}, 8) == 2);
    // A step of 60 ms, and 2 (M-1) 60 ms of latency: never.
    CHECK_FALSE(machines_that_pay(predictor, 2, 100, {60e-3, 1.25e9}, 64).has_value());
    // 2 (M-1) S / (M B) of 80 ms at 50 MB/s and two machines, 107 ms with three: a throughput of
    // 2/2.4 and 3/2.8 of one machine's.
    CHECK(machines_that_pay(predictor, 2, 100, {0.0, 50e6}, 8) == 3);
}

TEST_CASE("the batch that holds an efficiency is the hand-computed one", "[statistics]") {
    const StepModel model = model_of({point(1, 1.0, 0.0), point(2, 1.1, 0.0)});
    // One: 0.42 ms an image + 4 ms; two: 0.46 ms an image + 12.002 ms.
    const double exact = (0.8 * (4e-3 + exchange_seconds(2)) - 4e-3) / (0.42e-3 - 0.8 * 0.46e-3);
    const auto found = batch_for_efficiency(model, 2, 0.8);
    REQUIRE(found);
    CHECK(found->batch == static_cast<std::size_t>(std::ceil(exact)));
    CHECK(found->efficiency >= 0.8);
    CHECK(found->efficiency == Approx(efficiency_of(model, 2, found->batch)));
    CHECK(efficiency_of(model, 2, found->batch - 1) < 0.8);
}

TEST_CASE("no batch helps against inflation, and the reason says so", "[statistics]") {
    // 0.42 ms an image against 0.02 + 0.4 x 1.4: 72 %.
    const StepModel model = model_of({point(1, 1.0, 0.0), point(2, 1.4, 0.0)});
    const auto found = batch_for_efficiency(model, 2, 0.8);
    CHECK_FALSE(found.has_value());
    CHECK(found.reason() ==
          "no batch per worker holds an efficiency of 80 % with 2 workers: compute inflation and "
          "waiting, which grow with the batch, leave 72 %");
    CHECK_THROWS_AS(batch_for_efficiency(model, 2, 0.0), CheckFailure);
    CHECK_THROWS_AS(batch_for_efficiency(model, 2, 1.5), CheckFailure);
}

TEST_CASE("one worker is efficient with any batch", "[statistics]") {
    const StepModel model = model_of({point(1, 1.0, 0.0), point(2, 1.4, 0.0)});
    CHECK(batch_for_efficiency(model, 1, 0.8)->batch == 1);
}
