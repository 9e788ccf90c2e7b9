// Networks as oneDNN primitives: sizes, implementations, dropout, initial values.
#include "core/nn/network.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/base/random.hpp"
#include "core/nn/initial_parameters.hpp"
#include "core/nn/onednn_info.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/network_bench.hpp"

using namespace dp::core;
using dp::tests::Bench;

TEST_CASE("every network has the number of parameters that its row says") {
    omp_set_num_threads(1);
    for (const ModelSpec& model : models()) {
        CHECK(plan_layout(model, 8).parameters.elements() == model.parameters);
    }
}

TEST_CASE("no primitive of any network is a reference implementation") {
    if (onednn_info().isa.find("avx") == std::string::npos) return;  // oneDNN has no others there
    for (const ModelSpec& model : models()) {
        Bench bench(std::string(model.name).c_str(), {128, 80, 7, 1});
        for (const PrimitiveInfo& primitive : bench.network.primitives()) {
            INFO(model.name << " batch " << primitive.batch_size << " " << primitive.layer << " "
                            << primitive.pass << " " << primitive.implementation);
            CHECK(primitive.implementation.find("ref") == std::string::npos);
        }
    }
}

TEST_CASE("initial parameters are uniform within one over the root of fan-in") {
    Bench bench("cifar_cnn", {4});
    const TensorLayout& layout = bench.layout.parameters;
    const auto weight = layout.to_plain(bench.parameters.span(), layout.find("fc1.weight"));
    const float bound = 1.F / std::sqrt(2048.F);
    const auto [low, high] = std::ranges::minmax(weight.values);
    CHECK(low >= -bound);
    CHECK(high < bound);
    CHECK(low < -0.999F * bound);
    CHECK(high > 0.999F * bound);
    const auto scale = layout.to_plain(bench.parameters.span(), layout.find("bn1.weight"));
    CHECK(std::ranges::all_of(scale.values, [](float value) { return value == 1.F; }));
}

TEST_CASE("a tensor survives the way into the block and back") {
    Bench bench("cifar_cnn", {4});
    const TensorLayout& layout = bench.layout.parameters;
    FloatBlock block(layout.size());
    for (std::size_t i = 0; i < layout.tensors().size(); ++i) {
        std::vector<float> values(layout.tensors()[i].elements);
        std::iota(values.begin(), values.end(), 1.F);
        layout.from_plain(values, i, block.span());
        CHECK(layout.to_plain(block.span(), i).values == values);
    }
}

TEST_CASE("a sample's dropout mask does not depend on its place in the batch") {
    Bench bench("cifar_cnn", {2});
    const DropoutKey key{0.5F, 1, 0, 0};
    const auto logits_of = [&](std::uint32_t first, std::uint32_t second) {
        bench.samples = {first, second};
        bench.network.forward(bench.batch(2), key);
        const auto logits = bench.network.logits();
        return std::vector<float>(logits.begin(), logits.end());
    };
    const auto image = bench.model.input.size();
    // Both images are the same, so that only the masks tell the samples apart.
    std::copy_n(bench.network.input().data(), image, bench.network.input().data() + image);
    const auto forward = logits_of(11, 12);
    const auto backward = logits_of(12, 11);
    for (std::size_t k = 0; k < kClasses; ++k) {
        CHECK(forward[k] == backward[kClasses + k]);
        CHECK(forward[kClasses + k] == backward[k]);
    }
    CHECK(forward[0] != forward[kClasses]);
}

TEST_CASE("dropout's mask changes with seed and epoch and step") {
    Bench bench("cifar_cnn", {2});
    const auto logit = [&](const DropoutKey& key) {
        bench.network.forward(bench.batch(2), key);
        return bench.network.logits()[0];
    };
    const float base = logit({0.5F, 1, 2, 3});
    CHECK(logit({0.5F, 1, 2, 3}) == base);
    CHECK(logit({0.5F, 9, 2, 3}) != base);
    CHECK(logit({0.5F, 1, 9, 3}) != base);
    CHECK(logit({0.5F, 1, 2, 9}) != base);
}

TEST_CASE("evaluation neither drops units nor moves running statistics") {
    Bench bench("cifar_cnn", {4});
    const auto before = std::vector(bench.statistics.span().begin(), bench.statistics.span().end());
    const double loss = bench.network.evaluate(bench.batch(4)).loss_sum;
    CHECK(bench.network.evaluate(bench.batch(4)).loss_sum == loss);
    CHECK(std::ranges::equal(before, bench.statistics.span()));
    bench.network.forward(bench.batch(4), {0.5F, 1, 0, 0});
    CHECK_FALSE(std::ranges::equal(before, bench.statistics.span()));
}

TEST_CASE("the gradient of the loss is its slope") {
    // Two-sided differences along the gradient itself: d/dt loss(p + t g) = |g|^2 at t = 0.
    Bench bench("simple_cnn", {8});
    const DropoutKey none{};
    const auto loss = [&] { return bench.network.forward(bench.batch(8), none).loss_sum / 8.0; };
    loss();
    bench.network.backward();
    const std::vector<float> g(bench.gradients.span().begin(), bench.gradients.span().end());
    double squared = 0.0;
    for (const float value : g) squared += static_cast<double>(value) * static_cast<double>(value);
    const auto shift = [&](float t) {
        for (std::size_t i = 0; i < g.size(); ++i) bench.parameters.data()[i] += t * g[i];
    };
    constexpr float kStep = 1e-3F;
    shift(kStep);
    const double above = loss();
    shift(-2.F * kStep);
    const double below = loss();
    const double slope = (above - below) / (2.0 * static_cast<double>(kStep));
    CHECK(std::abs(slope - squared) < 0.01 * squared);
}

TEST_CASE("backward reports gradients that it does not touch again from the last to the first") {
    omp_set_num_threads(1);
    const ModelSpec& model = find_model("cifar_cnn");
    const NetworkLayout layout = plan_layout(model, 4);
    FloatBlock parameters(layout.parameters.size());
    FloatBlock gradients(layout.parameters.size());
    FloatBlock statistics(layout.statistics.size());
    std::ranges::fill(parameters.span(), 0.01F);
    const std::array<std::size_t, 1> sizes{4};
    Network network(model, layout, sizes, {});
    network.bind({parameters.span(), gradients.span(), statistics.span()});
    std::ranges::fill(network.input(), 0.5F);
    std::vector<std::int32_t> labels(4);
    std::vector<std::uint32_t> samples(4);
    network.forward({4, network.input(), labels, samples}, {});

    // What is reported is spoilt at once: it must stay so until the end.
    class Spoiler final : public GradientsReady {
    public:
        explicit Spoiler(std::span<float> block) : last(block.size()), block_(block) {}
        void on_gradients(std::size_t offset) override {
            falls = falls && offset <= last;
            std::ranges::fill(block_.subspan(offset, std::max(last, offset) - offset), -7.F);
            last = offset;
            ++calls;
        }
        bool falls = true;
        std::size_t last;
        std::size_t calls = 0;

    private:
        std::span<float> block_;
    } spoiler(gradients.span());
    network.backward(&spoiler);
    CHECK(spoiler.falls);
    CHECK(spoiler.last == 0);
    CHECK(spoiler.calls > 5);
    CHECK(std::ranges::count(gradients.span(), -7.F) == std::ssize(gradients.span()));
}
