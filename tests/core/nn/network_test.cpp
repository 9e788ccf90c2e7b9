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
    std::vector<NetworkOptions> all(onednn_info().native_bf16 ? 3 : 2);
    all[1].convolution = ConvolutionAlgorithm::kDirect;
    if (all.size() > 2) all[2].precision = Precision::kBFloat16;
    for (std::size_t i = 0; i < models().size() * all.size(); ++i) {
        const ModelSpec& model = models()[i / all.size()];
        Bench bench(std::string(model.name).c_str(), {128, 80, 7, 1}, all[i % all.size()]);
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
    Bench bench("cifar_cnn", {4});
    bench.network.forward(bench.batch(4), {});

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
    } spoiler(bench.gradients.span());
    bench.network.backward(&spoiler);
    CHECK(spoiler.falls);
    CHECK(spoiler.last == 0);
    CHECK(spoiler.calls > 5);
    CHECK(std::ranges::count(bench.gradients.span(), -7.F) == std::ssize(bench.gradients.span()));
}

namespace {

/// |got - expected| / |expected| over all gradients but those of a convolution's bias before batch
/// norm, whose true value is zero.
double gradient_error(const Bench& got, const Bench& expected) {
    const TensorLayout& layout = expected.layout.parameters;
    double error = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < layout.tensors().size(); ++i) {
        const std::string& name = layout.tensors()[i].name;
        if (name.starts_with("conv") && name.ends_with(".bias")) continue;
        const auto a = layout.to_plain(got.gradients.span(), i).values;
        const auto b = layout.to_plain(expected.gradients.span(), i).values;
        for (std::size_t k = 0; k < a.size(); ++k) {
            const auto difference = static_cast<double>(a[k] - b[k]);
            error += difference * difference;
            size += static_cast<double>(b[k]) * static_cast<double>(b[k]);
        }
    }
    return std::sqrt(error / size);
}

double train_step(Bench& bench) {
    const double loss = bench.network.forward(bench.batch(64), {0.5F, 1, 0, 0}).loss_sum;
    bench.network.backward();
    return loss;
}

}  // namespace

TEST_CASE("bfloat16 gradients are float32's with bfloat16's rounding") {
    if (!onednn_info().native_bf16) {
        WARN("not run: this CPU does not multiply bfloat16, and the program refuses it");
        return;
    }
    NetworkOptions options;
    options.precision = Precision::kBFloat16;
    NetworkOptions without_own = options;
    without_own.own_batch_norm_pool = false;
    for (const ModelSpec& model : models()) {
        const std::string name(model.name);
        INFO(name);
        Bench single(name.c_str(), {64});
        Bench half(name.c_str(), {64}, options);
        Bench onednn(name.c_str(), {64}, without_own);
        // Checkpoints, the exchange and the optimizer see no difference.
        REQUIRE(half.layout.parameters.size() == single.layout.parameters.size());
        const double loss = train_step(single);
        const double half_loss = train_step(half);
        train_step(onednn);
        CHECK(half_loss != loss);
        CHECK(std::abs(half_loss - loss) < 2e-3 * loss);
        // On random images gradients nearly cancel and pools choose other winners, so the measure
        // is what oneDNN's own batch norm and pool do to them.
        const double error = gradient_error(half, single);
        CHECK(error < 0.12);
        CHECK(error < 1.1 * gradient_error(onednn, single));
    }
}
