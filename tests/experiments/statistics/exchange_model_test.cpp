// The alpha-beta-gamma model of the exchanges: counts by hand, calibration gives known costs back.
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/check.hpp"
#include "experiments/allreduce/reductions.hpp"
#include "experiments/modes.hpp"
#include "experiments/statistics/exchange_model.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments::statistics;
using dp::core::CheckFailure;

namespace {

constexpr double kAlpha = 2e-7;
constexpr double kBeta = 5e-11;
constexpr double kGamma = 3e-11;

double signals(double ranks) { return 2.0 * (ranks - 1.0); }

const ExchangeCosts kInPlace{"in-place", signals, [](double p) { return 1.0 + 1.0 / p; }};
const ExchangeCosts kDirect{"direct", signals, [](double) { return 2.0; }};
const ExchangeCosts kRing{"ring", signals, [](double p) { return 5.0 * (p - 1.0) / p; }};
const ExchangeCosts kSlots{"slots", signals, [](double p) { return 6.0 - 4.0 / p; }};

/// Rows as a benchmark has them, of an exchange that costs kAlpha, kBeta and `gamma`.
std::vector<ExchangeTime> rows_of(const ExchangeCosts& costs,
                                  std::initializer_list<std::size_t> ranks, double gamma,
                                  double deviation = 0.0, unsigned seed = 1) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal(0.0, 1.0);
    std::vector<ExchangeTime> rows;
    for (const std::size_t p : ranks) {
        for (double bytes = 4096; bytes <= 67'108'864; bytes *= 4) {
            const ExchangeCounts counts = counts_of(costs, p, bytes);
            const double seconds =
                kAlpha * counts.signals + kBeta * counts.moved_bytes + gamma * counts.added_bytes;
            rows.push_back({p, bytes, seconds * std::exp(deviation * normal(engine))});
        }
    }
    return rows;
}

}  // namespace

TEST_CASE("the model's counts are those of the reductions' rows", "[statistics]") {
    for (const auto& mode : dp::experiments::modes()) {
        for (const dp::core::ExchangeTraits& row : mode.reductions()) {
            const ExchangeCosts costs{row.name, row.signals, row.moved_per_byte,
                                      row.added_per_byte};
            CHECK(counts_of(costs, 4, 800).signals == row.signals(4));
            CHECK(counts_of(costs, 4, 800).moved_bytes == 800 * row.moved_per_byte(4));
            CHECK(counts_of(costs, 4, 800).added_bytes ==
                  (row.added_per_byte == nullptr ? 600 : 800 * row.added_per_byte(4)));
            CHECK(counts_of(costs, 1, 800).moved_bytes == 0);
        }
    }
    // By hand, as the head of message_ring_exchange.hpp states it: chunks of 200 bytes.
    const auto slots = dp::experiments::find_mode("procs").find_reduction("message-ring").value();
    CHECK(slots.moved_per_byte(4) * 800 == Approx(6 * 800 - 4 * 200));
    CHECK(slots.signals(4) == 6);
    using dp::experiments::allreduce::calibrate;
    // Results from before it was called shared-direct.
    CHECK(calibrate("procs", "direct", rows_of(kDirect, {2}, 0.0)).has_value());
    CHECK(calibrate("procs", "carrier-pigeon", rows_of(kDirect, {2}, 0.0)).reason() ==
          "no model of the reduction 'carrier-pigeon'");
}

TEST_CASE("calibration gives alpha, beta and gamma back", "[statistics]") {
    for (const ExchangeCosts& costs : {kInPlace, kDirect, kSlots}) {
        const auto model = ExchangeModel::calibrate(costs, rows_of(costs, {2, 4, 8}, kGamma));
        REQUIRE(model);
        CHECK(model->reduction() == costs.reduction);
        CHECK(model->rows() == 24);
        CHECK(model->alpha_seconds() == Approx(kAlpha));
        CHECK(model->beta_seconds_per_byte() == Approx(kBeta));
        CHECK(model->gamma_seconds_per_byte().value() == Approx(kGamma));
        CHECK(model->relative_deviation() == Approx(0.0).margin(1e-9));
    }
}

TEST_CASE("gamma is part of beta where rows cannot tell them apart", "[statistics]") {
    const auto ring = ExchangeModel::calibrate(kRing, rows_of(kRing, {2, 4, 8}, kGamma));
    REQUIRE(ring);
    CHECK_FALSE(ring->gamma_seconds_per_byte().has_value());
    CHECK(ring->beta_seconds_per_byte() == Approx(kBeta + kGamma / 5));

    const auto direct = ExchangeModel::calibrate(kDirect, rows_of(kDirect, {2}, kGamma));
    REQUIRE(direct);
    CHECK_FALSE(direct->gamma_seconds_per_byte().has_value());
    CHECK(direct->beta_seconds_per_byte() == Approx(kBeta + kGamma / 4));
    CHECK(direct->alpha_seconds() == Approx(kAlpha));
}

TEST_CASE("the model predicts ranks and sizes that were not measured", "[statistics]") {
    const auto model = ExchangeModel::calibrate(kInPlace, rows_of(kInPlace, {2, 4}, kGamma, 0.02));
    REQUIRE(model);
    const PredictedSeconds predicted = model->predict(16, 4'591'656);
    const double truth = kAlpha * 30 + kBeta * 4'591'656 * 17 / 16 + kGamma * 4'591'656 * 15 / 16;
    CHECK(predicted.seconds == Approx(truth).epsilon(0.05));
    CHECK(predicted.interval95.low < predicted.seconds);
    CHECK(predicted.interval95.contains(truth));
    CHECK(model->predict(1, 4'591'656).seconds == 0.0);
}

TEST_CASE("the interval holds another measurement 95 times in 100", "[statistics]") {
    std::mt19937_64 engine(99);
    std::normal_distribution<double> normal(0.0, 0.1);
    int held = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        const auto model = ExchangeModel::calibrate(kDirect, rows_of(kDirect, {2}, 0.0, 0.1, seed));
        const double another = (kAlpha * 2 + kBeta * 2e6) * std::exp(normal(engine));
        held += model->predict(2, 1e6).interval95.contains(another) ? 1 : 0;
    }
    CHECK(held >= 367);  // 380, give or take three standard deviations
    CHECK(held <= 393);
}

TEST_CASE("large and small exchanges count alike in the calibration", "[statistics]") {
    std::vector<ExchangeTime> rows = rows_of(kDirect, {2}, 0.0);
    rows.back().seconds *= 1.1;  // 64 MiB
    const auto model = ExchangeModel::calibrate(kDirect, rows);
    REQUIRE(model);
    CHECK(model->alpha_seconds() == Approx(kAlpha).epsilon(0.05));
}

TEST_CASE("no cost is negative, however the times lie", "[statistics]") {
    // Faster the larger: a free fit's beta would be below 0.
    const std::array<ExchangeTime, 3> falling{{{2, 1e3, 3e-6}, {2, 1e4, 2e-6}, {2, 1e5, 1e-6}}};
    const auto model = ExchangeModel::calibrate(kDirect, falling);
    REQUIRE(model);
    CHECK(model->beta_seconds_per_byte() == 0.0);
    CHECK(model->alpha_seconds() > 0.0);
}

TEST_CASE("too few rows calibrate nothing", "[statistics]") {
    const std::vector<ExchangeTime> rows = rows_of(kDirect, {2}, 0.0);
    CHECK(ExchangeModel::calibrate(kDirect, {}).reason() ==
          "not enough rows: the model of direct needs 3, has 0");
    CHECK_FALSE(ExchangeModel::calibrate(kDirect, std::span(rows).first(2)).has_value());
    CHECK(ExchangeModel::calibrate(kDirect, std::span(rows).first(3)).has_value());
    const std::array<ExchangeTime, 3> one_size{{{2, 1e3, 1e-6}, {2, 1e3, 2e-6}, {2, 1e3, 3e-6}}};
    CHECK(ExchangeModel::calibrate(kDirect, one_size).reason() ==
          "not enough sizes: the model of direct cannot tell latency from bandwidth");
    const std::array<ExchangeTime, 3> three{{{2, 1e3, 1e-6}, {4, 1e6, 2e-4}, {8, 1e5, 3e-5}}};
    REQUIRE(ExchangeModel::calibrate(kDirect, three).has_value());
    CHECK_FALSE(ExchangeModel::calibrate(kDirect, three)->gamma_seconds_per_byte().has_value());
}

TEST_CASE("times that are no numbers calibrate nothing", "[statistics]") {
    std::vector<ExchangeTime> rows = rows_of(kDirect, {2}, 0.0);
    rows[1].seconds = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(ExchangeModel::calibrate(kDirect, rows), CheckFailure);
    rows[1] = {2, 0.0, 1.0};
    CHECK_THROWS_AS(ExchangeModel::calibrate(kDirect, rows), CheckFailure);
    rows[1] = {1, 10.0, 1.0};
    CHECK_THROWS_AS(ExchangeModel::calibrate(kDirect, rows), CheckFailure);
}

TEST_CASE("a ring of machines costs latency and bandwidth by hand", "[statistics]") {
    const Network network{50e-6, 1.25e9};  // 10 Gbit/s
    CHECK(network_ring_seconds(network, 1, 4e6) == 0.0);
    // 2 steps of 50 us and of 2 MB at 1.25 GB/s, 1.6 ms.
    CHECK(network_ring_seconds(network, 2, 4e6) == Approx(3.3e-3));
    CHECK(network_ring_seconds(network, 4, 4e6) == Approx(6 * (50e-6 + 0.8e-3)));
    CHECK_THROWS_AS(network_ring_seconds({1e-6, 0.0}, 2, 4e6), CheckFailure);
}
