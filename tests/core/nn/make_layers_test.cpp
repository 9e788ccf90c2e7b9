// How rows of a network's list become layers, and which lists are refused.
#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/network_bench.hpp"

using namespace dp::core;
using dp::tests::holds;

namespace {

using Rows = std::vector<LayerSpec>;

const LayerSpec kRelu{LayerKind::kRelu, ""};
const LayerSpec kPool{LayerKind::kMaxPool, "", 0, 2};
const LayerSpec kDropout{LayerKind::kDropout, ""};
LayerSpec convolution(const char* name) { return {LayerKind::kConvolution, name, 16, 3, 1}; }
LayerSpec norm(const char* name) { return {LayerKind::kBatchNorm, name}; }
LayerSpec linear(const char* name, std::size_t outputs = kClasses) {
    return {LayerKind::kLinear, name, outputs};
}

/// Borrows `rows`.
ModelSpec model_of(const Rows& rows) { return {"test", "", {3, 16, 16}, rows, 0}; }

/// The message with which `rows` are refused; empty when they are not.
std::string refused(const Rows& rows) {
    const auto error = dp::tests::error_of([&] { (void)plan_layout(model_of(rows), 4); });
    return error && error->code() == ExitCode::kUsage ? error->what() : std::string();
}

double loss_of(const Rows& rows) {
    const ModelSpec model = model_of(rows);
    dp::tests::Bench bench(model, {4});
    return bench.network.forward(bench.batch(4), {}).loss_sum;
}

}  // namespace

TEST_CASE("a ReLU that no layer takes in is refused where it stands") {
    const std::string why = "a ReLU is computed with the convolution, batch norm or linear layer";
    for (const auto& [rows, place] : std::vector<std::pair<Rows, std::string>>{
             {{kRelu, linear("fc1")}, "network test, layer 1 of 2: "},
             {{convolution("conv1"), kPool, kRelu, linear("fc1")}, "layer 3 of 4: "},
             {{convolution("conv1"), kRelu, kRelu, linear("fc1")}, "layer 3 of 4: "},
             {{convolution("conv1"), norm("bn1"), kRelu, kPool, kRelu, linear("fc1")},
              "layer 5 of 6: "},
             {{linear("fc1"), kDropout, kRelu, linear("fc2")}, "layer 3 of 4: "}}) {
        INFO(place);
        CHECK(holds(refused(rows), place + why));
    }
}

TEST_CASE("a layer is refused where its source has the wrong dimensions") {
    CHECK(holds(refused({convolution("conv1"), kDropout, linear("fc1")}),
                "layer 2 of 3: dropout works on (N, features)"));
    for (const LayerSpec& wrong : {convolution("conv1"), norm("bn1"), kPool}) {
        CHECK(holds(refused({linear("fc1"), wrong, linear("fc2")}),
                    "layer 2 of 3: convolutions, batch norm and pools work on (N, C, H, W)"));
    }
}

TEST_CASE("a first layer other than a convolution or linear is refused") {
    for (const LayerSpec& wrong : {norm("bn1"), kPool}) {
        CHECK(holds(refused({wrong, linear("fc1")}),
                    "layer 1 of 2: the first layer must be a convolution or linear"));
    }
}

TEST_CASE("a last layer that is not one output for each class is refused") {
    const std::string why = "the last layer must be linear with 10 outputs";
    CHECK(holds(refused({linear("fc1", 12)}), "layer 1 of 1: " + why));
    CHECK(holds(refused({linear("fc1", 9)}), why));
    CHECK(holds(refused({linear("fc1"), kRelu}), "layer 2 of 2: " + why));
    CHECK(holds(refused({convolution("conv1")}), why));
    CHECK(holds(refused({}), why));
    CHECK(refused({linear("fc1")}).empty());
}

TEST_CASE("every pattern of layers is computed, a ReLU with the layer before it") {
    const Rows all{convolution("conv1"),
                   kRelu,
                   kPool,
                   convolution("conv2"),
                   norm("bn2"),
                   norm("bn3"),
                   kRelu,
                   convolution("conv4"),
                   norm("bn4"),
                   kRelu,
                   kPool,
                   linear("fc1", 32),
                   kRelu,
                   kDropout,
                   linear("fc2", 32),
                   kDropout,
                   linear("fc3")};
    const ModelSpec model = model_of(all);
    dp::tests::Bench bench(model, {4});
    std::vector<std::string> layers;
    for (const PrimitiveInfo& primitive : bench.network.primitives()) {
        if (primitive.pass == "forward" && primitive.layer != "pool") {
            layers.push_back(primitive.layer);
        }
    }
    CHECK(layers == std::vector<std::string>{"conv1", "conv2", "bn2", "bn3", "conv4", "bn4", "fc1",
                                             "fc2", "fc3"});
    CHECK(bench.network.forward(bench.batch(4), {0.5F, 1, 0, 0}).loss_sum > 0.0);

    for (const Rows& layer : {Rows{convolution("conv1")}, Rows{convolution("conv1"), norm("bn1")},
                              Rows{linear("fc0", 32)}}) {
        Rows plain = layer;
        Rows with_relu = layer;
        with_relu.push_back(kRelu);
        for (Rows* rows : {&plain, &with_relu}) rows->push_back(linear("fc1"));
        CHECK(loss_of(plain) != loss_of(with_relu));
    }
}
