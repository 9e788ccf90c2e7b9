// Training that diverges ends: in every mode, on all ranks in the step in which a value is first
// not finite, and nothing is saved.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/modes.hpp"
#include "tests/support/program.hpp"

using namespace dp;

namespace {

constexpr std::size_t kRanks = 3;
constexpr std::size_t kBadRank = 1;
constexpr std::size_t kBadStep = 2;

/// A source whose batch of step kBadStep has one pixel that is no number.
class SpoilingSource final : public core::BatchSource {
public:
    explicit SpoilingSource(std::unique_ptr<core::BatchSource> source)
        : source_(std::move(source)) {}
    std::size_t steps() const override { return source_->steps(); }
    std::size_t batch_size(std::size_t step) const override { return source_->batch_size(step); }
    void begin_epoch(std::size_t epoch) override { source_->begin_epoch(epoch); }
    void load(std::size_t step, core::Batch& batch) override {
        source_->load(step, batch);
        if (step == kBadStep) batch.images[5] = std::numeric_limits<float>::quiet_NaN();
    }

private:
    std::unique_ptr<core::BatchSource> source_;
};

/// Counts the forward passes of each rank, in memory that forked workers share with the test.
class ForwardCounter final : public core::RunListener {
public:
    using Counts = std::array<std::atomic<std::size_t>, kRanks>;

    ForwardCounter()
        : counts_(new (mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Counts{}) {}
    ForwardCounter(const ForwardCounter&) = delete;
    ForwardCounter& operator=(const ForwardCounter&) = delete;
    ~ForwardCounter() override { munmap(counts_, sizeof(Counts)); }

    void on_phase(const core::WorkerPosition& position) override {
        if (position.phase == core::Phase::kForward) ++counts_->at(position.rank);
    }
    [[nodiscard]] std::size_t of(std::size_t rank) const { return counts_->at(rank); }

private:
    Counts* counts_;
};

void check_ends_in_bad_step(const core::RunConfig& config, const core::Dataset& data) {
    ForwardCounter forwards;
    core::Job job = tests::make_job(config, data, forwards);
    job.training = [healthy = job.training](std::size_t rank, std::size_t world_size) {
        auto source = healthy(rank, world_size);
        return rank == kBadRank ? std::make_unique<SpoilingSource>(std::move(source))
                                : std::move(source);
    };
    const auto error = tests::error_of([&] { experiments::run_job(job); });
    REQUIRE(error);
    INFO(error->what());
    CHECK(error->code() == core::ExitCode::kRunFailed);
    CHECK(tests::holds(error->what(), "epoch 1, step 3, rank "));
    CHECK(tests::holds(error->what(), ": a gradient of "));
    CHECK(tests::holds(error->what(), " is nan: training has diverged; lower --lr (now 0.01)"));
    CHECK_FALSE(std::filesystem::exists(config.save));
    // Serial's one worker counts as rank 0 and plays all ranks.
    const bool serial = config.mode == "serial";
    CHECK(forwards.of(0) == (kBadStep + 1) * (serial ? kRanks : 1));
    for (std::size_t rank = 1; rank < kRanks; ++rank) {
        CHECK(forwards.of(rank) == (serial ? 0 : kBadStep + 1));
    }
}

}  // namespace

TEST_CASE("a value that is not finite on one rank ends all ranks in the same step") {
    const tests::TemporaryFolder folder;
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const experiments::Mode& mode : tests::forked_modes()) {
        if (mode.one_replica) continue;  // there is no rank but rank 0
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            for (const char* model : {"cifar_cnn", "simple_cnn"}) {
                core::RunConfig config = tests::small_config(std::string(mode.name), kRanks);
                config.reduction = reduction.name;
                config.model = model;
                config.save = folder.path() / "saved.safetensors";
                INFO(mode.name << " " << reduction.name << " " << model);
                check_ends_in_bad_step(config, data);
            }
        }
    }
}

TEST_CASE("a learning rate that is far too high ends the run and saves nothing") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.path() / "n.safetensors";
    const std::vector<std::vector<std::string>> rates{{"--lr", "1000"},
                                                      {"--optimizer", "adam", "--lr", "1e10"}};
    for (const experiments::Mode& mode : tests::forked_modes()) {
        for (const auto& rate : rates) {
            std::vector<std::string> arguments{"--mode",   std::string(mode.name),
                                               "-n",       "2",
                                               "--epochs", "1",
                                               "--steps",  "12",
                                               "--save",   file};
            arguments.insert(arguments.end(), rate.begin(), rate.end());
            const auto result = tests::run_program(arguments);
            INFO(mode.name << " " << rate.back() << "\n" << result.err);
            CHECK(result.exit_code == 1);
            CHECK(tests::holds(result.err, "error: epoch 1, step "));
            CHECK(tests::holds(result.err, ", rank "));
            CHECK(tests::holds(result.err, " is nan: training has diverged; lower --lr (now 1"));
            CHECK_FALSE(std::filesystem::exists(file));
        }
    }
}
