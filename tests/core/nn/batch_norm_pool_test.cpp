// Our own batch norm, ReLU and max pool against oneDNN's three primitives, inside cifar_cnn: its
// gradients pass through all three of them.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/nn/onednn_info.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/network_bench.hpp"

using namespace dp;
using tests::Bench;

namespace {

constexpr std::size_t kBatch = 6;

core::NetworkOptions options_with(bool own) {
    core::NetworkOptions options;
    options.convolution = core::ConvolutionAlgorithm::kDirect;
    options.own_batch_norm_pool = own;
    return options;
}

void set(Bench& bench, const std::string& tensor, float (*value)(std::size_t)) {
    const core::TensorLayout& layout = bench.layout.parameters;
    std::vector<float> values(layout.tensors()[layout.find(tensor)].elements);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(i);
    layout.from_plain(values, layout.find(tensor), bench.parameters.span());
}

/// Scales of both signs, one of them zero; shifts on both sides of zero.
void set_scales(Bench& bench) {
    for (const std::string layer : {"bn1", "bn2", "bn3"}) {
        set(bench, layer + ".weight",
            [](std::size_t c) { return (static_cast<float>(c % 7) - 2.F) * 0.4F; });
        set(bench, layer + ".bias",
            [](std::size_t c) { return (static_cast<float>(c % 5) - 2.F) * 0.3F; });
    }
}

std::ptrdiff_t own_primitives(Bench& bench) {
    const auto primitives = bench.network.primitives();
    return std::ranges::count(primitives, "own", &core::PrimitiveInfo::implementation);
}

void train_step(Bench& bench) {
    bench.network.forward(bench.batch(kBatch), {});
    bench.network.backward();
}

/// The largest difference of two tensors in units of the second one's root mean square.
double difference(const core::NamedTensor& ours, const core::NamedTensor& theirs) {
    double largest = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < ours.values.size(); ++i) {
        const auto a = static_cast<double>(ours.values[i]);
        const auto b = static_cast<double>(theirs.values[i]);
        largest = std::max(largest, std::abs(a - b));
        squares += b * b;
    }
    return largest / std::sqrt(squares / static_cast<double>(ours.values.size()));
}

void check_equal(Bench& own, Bench& onednn, double tolerance) {
    const auto compare = [&](const core::TensorLayout& layout, const core::FloatBlock& ours,
                             const core::FloatBlock& theirs) {
        for (std::size_t i = 0; i < layout.tensors().size(); ++i) {
            const std::string& name = layout.tensors()[i].name;
            // The bias of a convolution before batch norm has a true gradient of zero.
            if (name.starts_with("conv") && name.ends_with(".bias")) continue;
            INFO(name);
            CHECK(difference(layout.to_plain(ours.span(), i), layout.to_plain(theirs.span(), i)) <
                  tolerance);
        }
    };
    compare(own.layout.parameters, own.gradients, onednn.gradients);
    compare(own.layout.statistics, own.statistics, onednn.statistics);
    for (std::size_t i = 0; i < kBatch * core::kClasses; ++i) {
        CHECK(std::abs(own.network.logits()[i] - onednn.network.logits()[i]) < tolerance);
    }
}

}  // namespace

TEST_CASE("our batch norm and pool are in use where the layout allows it") {
    Bench bench("cifar_cnn", {kBatch}, options_with(true));
    // Without AVX2 oneDNN's layout has no blocks of 8 or 16 channels.
    const std::string isa = core::onednn_info().isa;
    const bool blocked = isa.starts_with("avx2") || isa.starts_with("avx512");
    CHECK(own_primitives(bench) == (blocked ? 6 : 0));
    const auto primitives = bench.network.primitives();
    CHECK(std::ranges::count(primitives, "pool", &core::PrimitiveInfo::layer) == (blocked ? 0 : 6));
}

TEST_CASE("our batch norm and pool train as oneDNN's do") {
    Bench own("cifar_cnn", {kBatch}, options_with(true));
    Bench onednn("cifar_cnn", {kBatch}, options_with(false));
    for (Bench* bench : {&own, &onednn}) {
        set_scales(*bench);
        train_step(*bench);
        train_step(*bench);  // the second starts from moved running statistics
    }
    check_equal(own, onednn, 1e-4);
}

TEST_CASE("our batch norm keeps the variance's digits when the mean is large") {
    // 300 deviations: the difference of plain sums of squares would keep two digits of it.
    Bench own("cifar_cnn", {kBatch}, options_with(true));
    Bench onednn("cifar_cnn", {kBatch}, options_with(false));
    for (Bench* bench : {&own, &onednn}) {
        set(*bench, "conv1.bias", [](std::size_t) { return 100.F; });
        train_step(*bench);
    }
    const core::TensorLayout& layout = own.layout.statistics;
    const std::size_t variance = layout.find("bn1.running_var");
    CHECK(difference(layout.to_plain(own.statistics.span(), variance),
                     layout.to_plain(onednn.statistics.span(), variance)) < 1e-5);
}

TEST_CASE("our batch norm and pool evaluate as oneDNN's do") {
    Bench own("cifar_cnn", {kBatch}, options_with(true));
    Bench onednn("cifar_cnn", {kBatch}, options_with(false));
    for (Bench* bench : {&own, &onednn}) {
        set_scales(*bench);
        train_step(*bench);
        bench->network.evaluate(bench->batch(kBatch));
    }
    check_equal(own, onednn, 1e-4);
}

TEST_CASE("a value that is not a number passes through our batch norm and pool") {
    Bench bench("cifar_cnn", {kBatch}, options_with(true));
    bench.network.input()[5] = std::numeric_limits<float>::quiet_NaN();
    bench.network.forward(bench.batch(kBatch), {});
    const core::TensorLayout& layout = bench.layout.statistics;
    const auto behind = layout.to_plain(bench.statistics.span(), layout.find("bn2.running_mean"));
    CHECK(std::ranges::all_of(behind.values, [](float mean) { return std::isnan(mean); }));
}

TEST_CASE("a value that is not a number passes a channel whose scale is zero") {
    using core::LayerKind;
    constexpr std::array kLayers{core::LayerSpec{LayerKind::kConvolution, "conv1", 32, 1},
                                 core::LayerSpec{LayerKind::kBatchNorm, "bn1"},
                                 core::LayerSpec{LayerKind::kRelu, ""},
                                 core::LayerSpec{LayerKind::kMaxPool, "", 0, 2},
                                 core::LayerSpec{LayerKind::kLinear, "fc1", core::kClasses}};
    const core::ModelSpec model{"test", "", {3, 32, 32}, kLayers, 0};
    Bench bench(model, {kBatch}, options_with(true));
    if (own_primitives(bench) == 0) return;
    set(bench, "bn1.weight", [](std::size_t) { return 0.F; });
    const auto logits_are_numbers = [&] {
        bench.network.evaluate(bench.batch(kBatch));
        return std::ranges::none_of(bench.network.logits().first(core::kClasses),
                                    [](float logit) { return std::isnan(logit); });
    };
    CHECK(logits_are_numbers());
    // The second value of one window of each channel: the first would go on in any case.
    bench.network.input()[1] = std::numeric_limits<float>::infinity();
    CHECK_FALSE(logits_are_numbers());
}

TEST_CASE("a variance that overflows is told by a gradient that is not a number") {
    for (const bool own : {true, false}) {
        INFO(own);
        Bench bench("cifar_cnn", {kBatch}, options_with(own));
        const core::TensorLayout& layout = bench.layout.parameters;
        const auto gradient = [&] {
            train_step(bench);
            return layout.to_plain(bench.gradients.span(), layout.find("bn1.weight")).values;
        };
        CHECK(std::ranges::none_of(gradient(), [](float g) { return std::isnan(g); }));
        std::ranges::transform(bench.network.input(), bench.network.input().begin(),
                               [](float pixel) { return 1e25F * pixel; });
        CHECK(std::ranges::all_of(gradient(), [](float g) { return std::isnan(g); }));
    }
}
