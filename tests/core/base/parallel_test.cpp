// A worker's own loops on several threads: each part of a loop once, and the same bits as on one.
#include "core/base/parallel.hpp"

#include <omp.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/random.hpp"
#include "core/data/batch_loader.hpp"
#include "core/data/synthetic.hpp"
#include "core/nn/batch_norm_pool_kernels.hpp"
#include "core/nn/loss.hpp"
#include "core/optim/optimizer.hpp"
#include "tests/support/catch.hpp"

using namespace dp::core;

namespace {

/// What `work` returns with `threads` for each worker.
template <typename Work>
auto with_threads(int threads, const Work& work) {
    omp_set_num_threads(threads);
    auto result = work();
    omp_set_num_threads(1);
    return result;
}

/// `work` with 2, 3 and 7 threads against 1.
template <typename Work>
void check_same_bits(const Work& work) {
    const auto expected = with_threads(1, work);
    for (const int threads : {2, 3, 7}) {
        INFO(threads << " threads");
        CHECK(with_threads(threads, work) == expected);
    }
}

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
    const RandomStream random(seed, RandomUse::kSynthetic);
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = 2.F * random.uniform(i) - 1.F;
    return values;
}

}  // namespace

TEST_CASE("the parts of a loop cover it once and have a thread each") {
    for (const std::size_t count : {0U, 1U, 2U, 5U, 64U}) {
        std::vector<int> visits(count);
        std::atomic<std::size_t> parts = 0;
        with_threads(4, [&] {
            parallel_parts(count, [&](std::size_t first, std::size_t last) {
                ++parts;
                for (std::size_t i = first; i < last; ++i) ++visits[i];
            });
            return 0;
        });
        CHECK(visits == std::vector<int>(count, 1));
        CHECK(parts == std::max<std::size_t>(1, std::min<std::size_t>(count, 4)));
    }
}

TEST_CASE("batch norm and pool have the same bits on any number of threads") {
    using Kernels = batch_norm_pool::Kernels<8, float>;
    const batch_norm_pool::Geometry g{13, 2, 6, 4};
    const std::size_t channels = g.blocks * 8;
    const std::size_t size = g.planes() * g.plane() * 8;
    const std::vector<float> x = random_floats(size, 1);
    const std::vector<float> gamma = random_floats(channels, 2);
    const std::vector<float> beta = random_floats(channels, 3);
    const std::vector<float> diff_dst = random_floats(size / 4, 4);
    check_same_bits([&] {
        std::vector<Kernels::PlaneSums> by_plane(g.planes());
        std::vector<double> sums(2 * channels);
        std::vector<float> shifts(channels);
        std::vector<float> variance(channels);
        batch_norm_pool::ChannelValues channel{std::vector<float>(channels),
                                               std::vector<float>(channels, 1.5F)};
        std::vector<float> dst(size / 4);
        std::vector<float> winning(size / 4);
        std::vector<std::uint8_t> winners(size / 4);
        std::vector<float> diff_src(size);
        std::vector<float> diff_gamma(channels);
        std::vector<float> diff_beta(channels);
        Kernels::statistics(g, x.data(), by_plane, sums, shifts, channel.mean, variance);
        Kernels::forward<true>(g, x.data(), channel, gamma.data(), beta.data(), dst.data(),
                               winners.data(), winning.data());
        Kernels::backward_channels(g, channel, diff_dst.data(), winners.data(), winning.data(),
                                   by_plane, sums, diff_gamma.data(), diff_beta.data());
        Kernels::backward(g, x.data(), channel, gamma.data(), diff_gamma.data(), diff_beta.data(),
                          diff_dst.data(), winners.data(), diff_src.data());
        return std::vector{channel.mean, variance, dst, winning, diff_gamma, diff_beta, diff_src};
    });
}

TEST_CASE("loss, update and loader have the same bits on any number of threads") {
    constexpr std::size_t kImages = 300;  // more than the loss takes at once
    const std::vector<float> logits = random_floats(kImages * kClasses, 5);
    std::vector<std::int32_t> labels(kImages);
    for (std::size_t i = 0; i < kImages; ++i) labels[i] = static_cast<std::int32_t>(i % kClasses);
    check_same_bits([&] {
        std::vector<float> gradient(logits.size());
        const BatchResult result = softmax_cross_entropy(logits, labels, gradient);
        return std::pair{std::pair{result.loss_sum, result.correct}, gradient};
    });

    const std::vector<float> gradients = random_floats(1001, 6);
    const auto adam = make_optimizer(OptimizerConfig::defaults("adam"));
    check_same_bits([&] {
        std::vector<float> parameters = random_floats(1001, 7);
        std::vector<float> state(2 * parameters.size());
        const bool finite = adam->update({parameters, gradients, state}, {7, 990}, 0.5F, 1);
        return std::pair{finite, parameters};
    });

    const Dataset data = make_synthetic(1, 40, 0);
    const auto source = make_training_source(data, {0, 1, 16, 1, true, true, {}});
    check_same_bits([&] {
        std::vector<float> images(16 * data.train.shape.size());
        std::vector<std::int32_t> batch_labels(16);
        std::vector<std::uint32_t> samples(16);
        Batch batch{16, images, batch_labels, samples};
        source->load(1, batch);
        return std::pair{images, std::pair{batch_labels, samples}};
    });
}

TEST_CASE("an update on several threads tells a value that is not finite in any part") {
    const auto sgd = make_optimizer(OptimizerConfig::defaults("sgd"));
    for (const std::size_t bad : {0U, 33U, 66U, 99U}) {
        std::vector<float> parameters(100);
        std::vector<float> state(100);
        std::vector<float> gradients(100);
        gradients[bad] = std::numeric_limits<float>::infinity();
        const bool finite = with_threads(3, [&] {
            return sgd->update({parameters, gradients, state}, {0, 100}, 1.F, 1);
        });
        CHECK_FALSE(finite);
    }
}
