// What one worker's training step costs beside its primitives.
//
//   dp_bench_step [--rounds K] [--compare direct|onednn|plain|bf16|bf16-direct]
//
// Each round times one whole step (load, forward, loss, backward, update) of cifar_cnn with batches
// of 128, then each of its primitives alone, in the step's order so that they find the caches as
// the step leaves them. Prints medians over the rounds:
//
//   layer  pass  implementation  ms          of each primitive
//   primitives, step, step/primitives, images/s, load %, update %
//
// --compare measures a second variant in the same rounds, and `ratio` is the first one's images/s
// over the second one's: `direct` has direct convolution everywhere, `onednn` has oneDNN's batch
// norm and pooling instead of our own, `plain` has both. `bf16` and `bf16-direct` put bfloat16
// first and float32, as trained or with direct convolution, second.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "core/base/memory_block.hpp"
#include "core/data/batch_loader.hpp"
#include "core/data/synthetic.hpp"
#include "core/nn/initial_parameters.hpp"
#include "core/nn/network.hpp"
#include "core/optim/optimizer.hpp"
#include "core/train/worker.hpp"

namespace {

using namespace dp::core;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 128;
constexpr std::size_t kWarmUp = 3;

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

/// Milliseconds of everything timed, one value a round.
struct Times {
    std::vector<double> step, load, update;
    std::vector<std::vector<double>> primitives;

    [[nodiscard]] double primitives_sum() const {
        return std::accumulate(primitives.begin(), primitives.end(), 0.0,
                               [](double sum, const auto& times) { return sum + median(times); });
    }
};

double milliseconds(const std::function<void()>& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// One worker with all it needs for steps.
class Bench {
public:
    Bench(const Dataset& data, const NetworkOptions& options)
        : model_(find_model("cifar_cnn")),
          layout_(plan_layout(model_, kBatch, options)),
          network_(model_, layout_, kSizes, {}),
          parameters_(layout_.parameters.size()),
          gradients_(layout_.parameters.size()),
          statistics_(layout_.statistics.size()),
          optimizer_(make_optimizer(OptimizerConfig::defaults("sgd"))),
          state_(layout_.parameters.size() * optimizer_->state_blocks()),
          source_(make_training_source(data, {0, 1, kBatch, 1, true, false, {}})),
          labels_(kBatch),
          samples_(kBatch) {
        fill_initial_parameters(layout_.parameters, 1, parameters_.span());
        fill_initial_statistics(layout_.statistics, statistics_.span());
        network_.bind({parameters_.span(), gradients_.span(), statistics_.span()});
        source_->begin_epoch(0);
        primitives_ = network_.primitives();
        times_.primitives.resize(primitives_.size());
    }

    void run_round(bool counts) {
        Batch batch{kBatch, network_.input(), labels_, samples_};
        double load = 0.0;
        double update = 0.0;
        const double step = milliseconds([&] {
            load = milliseconds([&] { source_->load(round_ % (source_->steps() - 1), batch); });
            network_.forward(batch, {0.5F, 1, 0, round_});
            network_.backward();
            update = milliseconds([&] {
                (void)optimizer_->update({parameters_.span(), gradients_.span(), state_.span()},
                                         {0, parameters_.size()}, 1.F, round_ + 1);
            });
        });
        ++round_;
        if (counts) {
            times_.step.push_back(step);
            times_.load.push_back(load);
            times_.update.push_back(update);
        }
        for (std::size_t i = 0; i < primitives_.size(); ++i) {
            const double alone = milliseconds(primitives_[i].run);
            if (counts) times_.primitives[i].push_back(alone);
        }
    }

    [[nodiscard]] const Times& times() const { return times_; }

    void print(const std::string& title) const {
        const double step = median(times_.step);
        fmt::print("# {}\n{:<12}{:<18}{:<32}{:>8}\n", title, "layer", "pass", "implementation",
                   "ms");
        for (std::size_t i = 0; i < primitives_.size(); ++i) {
            const PrimitiveInfo& primitive = primitives_[i];
            fmt::print("{:<12}{:<18}{:<32}{:>8.3f}\n", primitive.layer, primitive.pass,
                       primitive.implementation, median(times_.primitives[i]));
        }
        const auto [low, high] = std::ranges::minmax(times_.step);
        fmt::print("primitives {:.2f} ms, step {:.2f} ms ({:.2f} to {:.2f}, {} rounds)\n",
                   times_.primitives_sum(), step, low, high, times_.step.size());
        fmt::print("step/primitives {:.3f}, images/s {:.0f}, load {:.2f} %, update {:.2f} %\n\n",
                   step / times_.primitives_sum(), 1e3 * kBatch / step,
                   100.0 * median(times_.load) / step, 100.0 * median(times_.update) / step);
    }

private:
    static constexpr std::size_t kSizes[] = {kBatch};

    const ModelSpec& model_;
    NetworkLayout layout_;
    Network network_;
    FloatBlock parameters_, gradients_, statistics_;
    std::unique_ptr<Optimizer> optimizer_;
    FloatBlock state_;
    std::unique_ptr<BatchSource> source_;
    std::vector<std::int32_t> labels_;
    std::vector<std::uint32_t> samples_;
    std::vector<PrimitiveInfo> primitives_;
    Times times_;
    std::size_t round_ = 0;
};

struct Variant {
    std::string title;
    NetworkOptions options;
};

constexpr NetworkOptions kDirect{.convolution = ConvolutionAlgorithm::kDirect};
constexpr NetworkOptions kOneDnn{.own_batch_norm_pool = false};
constexpr NetworkOptions kPlain{.convolution = ConvolutionAlgorithm::kDirect,
                                .own_batch_norm_pool = false};
constexpr NetworkOptions kBf16{.precision = Precision::kBFloat16};

const std::map<std::string, std::vector<Variant>> kVariants{
    {"nothing", {{"as trained", {}}}},
    {"direct", {{"as trained", {}}, {"direct convolution", kDirect}}},
    {"onednn", {{"as trained", {}}, {"oneDNN's batch norm", kOneDnn}}},
    {"plain", {{"as trained", {}}, {"direct convolution, oneDNN's batch norm", kPlain}}},
    {"bf16", {{"bf16", kBf16}, {"fp32", {}}}},
    {"bf16-direct", {{"bf16", kBf16}, {"fp32, direct convolution", kDirect}}},
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("What one training step costs beside its primitives", "dp_bench_step");
    std::size_t rounds = 40;
    std::string compare = "nothing";
    app.add_option("--rounds", rounds, "Rounds to take medians over")
        ->check(CLI::Range(3, 10'000))
        ->capture_default_str();
    app.add_option("--compare", compare, "Another variant to measure in the same rounds")
        ->check(CLI::IsMember({"nothing", "direct", "onednn", "plain", "bf16", "bf16-direct"}))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    omp_set_num_threads(1);
    flush_denormals();
    const Dataset data = make_synthetic(1, 2'000, 0);
    const std::vector<Variant>& chosen = kVariants.at(compare);
    std::vector<std::unique_ptr<Bench>> benches;
    for (const Variant& variant : chosen) {
        benches.push_back(std::make_unique<Bench>(data, variant.options));
    }
    for (std::size_t round = 0; round < kWarmUp + rounds; ++round) {
        for (const auto& bench : benches) bench->run_round(round >= kWarmUp);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) benches[i]->print(chosen[i].title);
    if (chosen.size() == 2) {
        fmt::print("ratio {:.3f} ({} over {})\n",
                   median(benches[1]->times().step) / median(benches[0]->times().step),
                   chosen[0].title, chosen[1].title);
    }
    return 0;
}
