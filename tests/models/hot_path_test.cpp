// After the first step of each batch shape a training step calls no operator new, apart from what
// oneDNN does inside a primitive.
#include <cstddef>
#include <string>

#include "core/base/error.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/modes.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/modes.hpp"

using namespace dp;

namespace {

constexpr std::size_t kSteps = 5;  // 4 of 16 images and one of 6

/// Fails the run when rank 0 allocates between the ends of two steps of a shape that it has seen.
class AllocationListener final : public core::RunListener {
public:
    void on_step(std::size_t epoch, std::size_t step, std::size_t /*steps*/,
                 std::size_t /*images*/) override {
        const std::size_t now = tests::allocation_count();
        const std::size_t onednn = tests::onednn_allocation_count();
        const bool warm = epoch > 0 || (step > 1 && step < kSteps);
        if (step > 1 && warm && now != seen_) {
            throw core::Error(core::ExitCode::kVerification, "epoch {} step {} allocates {} times",
                              epoch, step, now - seen_);
        }
        // A primitive's cost must not grow either.
        if (warm && step > 2 && step < kSteps && onednn - onednn_seen_ != onednn_step_) {
            throw core::Error(core::ExitCode::kVerification, "oneDNN allocates {} times, before {}",
                              onednn - onednn_seen_, onednn_step_);
        }
        if (step == 2) onednn_step_ = onednn - onednn_seen_;
        if (onednn == 0) {
            throw core::Error(core::ExitCode::kVerification, "oneDNN's calls are not seen");
        }
        seen_ = tests::allocation_count();
        onednn_seen_ = onednn;
    }

private:
    std::size_t seen_ = 0, onednn_seen_ = 0, onednn_step_ = 0;
};

core::RunConfig make_config(const experiments::Mode& mode, std::string_view reduction) {
    core::RunConfig config =
        tests::small_config(std::string(mode.name), mode.name == "serial" ? 1 : 2);
    config.reduction = reduction;
    return config;
}

void check_no_allocation(const core::RunConfig& config) {
    INFO(config.mode << " " << config.reduction << " precision "
                     << core::row_of(core::kPrecisions, config.network.precision).name);
    const std::size_t ranks = experiments::ranks_of(config);
    const core::Dataset data = core::make_synthetic(1, (4 * 16 + 6) * ranks, 10);
    AllocationListener listener;
    CHECK(experiments::run_job(tests::make_job(config, data, listener)).steps_per_epoch == kSteps);
}

}  // namespace

TEST_CASE("rank 0's training step calls no operator new after the first of its batch shape") {
    std::vector<core::Precision> precisions{core::Precision::kFloat32};
    if (experiments::read_machine().native_bf16) precisions.push_back(core::Precision::kBFloat16);
    for (const experiments::Mode& mode : tests::forked_modes()) {
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            for (const core::Precision precision : precisions) {
                core::RunConfig config = make_config(mode, reduction.name);
                config.network.precision = precision;
                check_no_allocation(config);
            }
        }
    }
}

TEST_CASE("a training step of several shards calls no operator new either") {
    for (const char* mode : {"serial", "threads", "procs"}) {
        core::RunConfig config = make_config(experiments::find_mode(mode), "tree");
        config.shards = 4;
        config.bucket_kib = 64;
        check_no_allocation(config);
        config.trace = core::StepRange{1, kSteps};
        check_no_allocation(config);
    }
}

TEST_CASE("a training step that is traced calls no operator new either") {
    for (const experiments::Mode& mode : tests::forked_modes()) {
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            core::RunConfig config = make_config(mode, reduction.name);
            config.bucket_kib = 64;
            config.trace = core::StepRange{1, kSteps};
            check_no_allocation(config);
        }
    }
}
