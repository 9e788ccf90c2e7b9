// Softmax cross-entropy against values worked out by hand.
#include "core/nn/loss.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "core/data/dataset.hpp"
#include "tests/support/catch.hpp"

using namespace dp::core;

namespace {

struct Loss {
    BatchResult result;
    std::vector<float> gradient;
};

Loss loss_of(const std::vector<float>& logits, const std::vector<std::int32_t>& labels) {
    Loss loss{{}, std::vector<float>(logits.size())};
    loss.result = softmax_cross_entropy(logits, labels, loss.gradient);
    return loss;
}

bool near(double a, double b) { return std::abs(a - b) < 1e-6; }

}  // namespace

TEST_CASE("equal logits lose log 10, and only the first of them is a hit") {
    const std::vector<float> logits(2 * kClasses, 3.F);
    const Loss loss = loss_of(logits, {0, 7});
    CHECK(near(loss.result.loss_sum, 2.0 * std::log(10.0)));
    CHECK(loss.result.correct == 1);
    // (p - 1 at the label) / images
    CHECK(near(loss.gradient[0], (0.1 - 1.0) / 2.0));
    CHECK(near(loss.gradient[1], 0.1 / 2.0));
    CHECK(near(loss.gradient[kClasses + 7], (0.1 - 1.0) / 2.0));
}

TEST_CASE("of two largest logits the first is the answer") {
    std::vector<float> logits(kClasses);
    logits[4] = logits[6] = 2.F;
    CHECK(loss_of(logits, {4}).result.correct == 1);
    CHECK(loss_of(logits, {6}).result.correct == 0);
}

TEST_CASE("large logits lose their differences alone") {
    std::vector<float> logits(kClasses, -3e38F);
    logits[2] = 1e4F;
    logits[3] = 1e4F - 1.F;
    const Loss loss = loss_of(logits, {3});
    CHECK(near(loss.result.loss_sum, 1.0 + std::log(1.0 + std::exp(-1.0))));
    CHECK(loss.gradient[0] == 0.F);
}

TEST_CASE("a logit that is not a number or infinite makes loss and gradient not a number") {
    using Limits = std::numeric_limits<float>;
    for (std::size_t at = 0; at < kClasses; ++at) {
        for (const float bad : {Limits::quiet_NaN(), Limits::infinity()}) {
            std::vector<float> logits(kClasses, 1.F);
            logits[at] = bad;
            const Loss loss = loss_of(logits, {5});
            INFO(bad << " at " << at);
            CHECK(std::isnan(loss.result.loss_sum));
            for (const float gradient : loss.gradient) CHECK(std::isnan(gradient));
        }
    }
}
