// Optimizers against hand-computed steps, and their independence of how a block is split.
#include "core/optim/optimizer.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp::core;

TEST_CASE("sgd adds weight decay and momentum as PyTorch does") {
    OptimizerConfig config = OptimizerConfig::defaults("sgd");
    config.learning_rate = 0.5;
    config.momentum = 0.25;
    config.weight_decay = 0.125;
    const auto sgd = make_optimizer(config);
    REQUIRE(sgd->state_blocks() == 1);
    std::vector<float> p{2.F};
    std::vector<float> g{4.F};
    std::vector<float> v{0.F};
    CHECK(sgd->update({p, g, v}, {0, 1}, 0.5F, 1));
    CHECK(v[0] == 2.25F);  // 0.5 * 4 + 0.125 * 2
    CHECK(p[0] == 0.875F);
    CHECK(sgd->update({p, g, v}, {0, 1}, 0.5F, 2));
    CHECK(v[0] == 2.671875F);  // 0.25 * 2.25 + 2 + 0.125 * 0.875
    CHECK(p[0] == -0.4609375F);
}

TEST_CASE("adam's first step is the learning rate against the gradient's sign") {
    const auto adam = make_optimizer(OptimizerConfig::defaults("adam"));
    REQUIRE(adam->state_blocks() == 2);
    std::vector<float> p{1.F, 1.F};
    std::vector<float> g{3.F, -0.001F};
    std::vector<float> state(4);
    CHECK(adam->update({p, g, state}, {0, 2}, 1.F, 1));
    CHECK(std::abs(p[0] - 0.999F) < 1e-6F);
    CHECK(std::abs(p[1] - 1.001F) < 1e-6F);
}

TEST_CASE("an update gives the same bits however the block is split") {
    constexpr std::size_t kSize = 1003;
    const RandomStream random(7, RandomUse::kSynthetic);
    std::vector<float> g(kSize);
    for (std::size_t i = 0; i < kSize; ++i) g[i] = random.uniform(i) - 0.5F;
    for (const char* name : {"sgd", "adam"}) {
        const auto optimizer = make_optimizer(OptimizerConfig::defaults(name));
        const auto run = [&](std::size_t pieces) {
            std::vector<float> p(kSize, 0.3F);
            std::vector<float> state(kSize * optimizer->state_blocks());
            for (std::uint64_t step = 1; step <= 5; ++step) {
                for (std::size_t k = 0; k < pieces; ++k) {
                    const std::size_t begin = k * kSize / pieces;
                    const std::size_t end = (k + 1) * kSize / pieces;
                    const std::size_t blocks = optimizer->state_blocks();
                    const auto own =
                        std::span(state).subspan(blocks * begin, blocks * (end - begin));
                    CHECK(optimizer->update({p, g, own}, {begin, end - begin}, 1.F / 3.F, step));
                }
            }
            return p;
        };
        const auto whole = run(1);
        for (const std::size_t pieces : {2UL, 3UL, 7UL, kSize}) CHECK(run(pieces) == whole);
    }
}

TEST_CASE("an update says whether all that it wrote is finite") {
    constexpr std::size_t kSize = 67;  // vectors and a remainder
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    for (const char* name : {"sgd", "adam"}) {
        const auto optimizer = make_optimizer(OptimizerConfig::defaults(name));
        const auto finite = [&](std::size_t at, float gradient, float parameter, Range range) {
            std::vector<float> p(kSize, 0.5F);
            std::vector<float> g(kSize, -2.F);
            std::vector<float> state(kSize * optimizer->state_blocks());
            g[at] = gradient;
            p[at] = parameter;
            return optimizer->update({p, g, state}, range, 1.F, 1);
        };
        for (std::size_t at = 0; at < kSize; ++at) {
            INFO(name << ", value " << at);
            CHECK(finite(at, 1e15F, 1e15F, {0, kSize}));
            for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
                CHECK_FALSE(finite(at, bad, 0.F, {0, kSize}));
                CHECK_FALSE(finite(at, 0.F, bad, {0, kSize}));
                CHECK(finite(at, bad, bad, {0, at}));
                CHECK(finite(at, bad, bad, {at + 1, kSize - at - 1}));
            }
        }
        // Adam's square of this gradient is infinite, and its parameter would stand still for ever.
        CHECK(finite(3, 1e30F, 0.F, {0, kSize}) == (std::string(name) == "sgd"));
    }
}

TEST_CASE("an unknown optimizer is a usage error that lists the known ones") {
    const auto error = dp::tests::error_of([] { OptimizerConfig::defaults("sgdm"); });
    REQUIRE(error);
    CHECK(error->code() == ExitCode::kUsage);
    CHECK(dp::tests::holds(error->what(), "'sgdm'"));
    CHECK(dp::tests::holds(error->what(), "sgd, adam"));
}
