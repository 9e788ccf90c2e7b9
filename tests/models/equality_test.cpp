// The strongest check there is: every mode ends with the same parameters, to the last bit.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/train/serial.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"

using namespace dp;

namespace {

/// Every mode with each of its reductions that adds as serial does, and without overlap with its
/// default one.
std::vector<core::RunConfig> variants(std::size_t workers, std::size_t bucket_kib) {
    std::vector<core::RunConfig> all;
    for (const experiments::Mode& mode : experiments::modes()) {
        core::RunConfig config = tests::small_config(std::string(mode.name), workers);
        config.bucket_kib = bucket_kib;
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            config.reduction = reduction.name;
            if (reduction.order == core::kSerialTraits.order) all.push_back(config);
        }
        config.reduction = mode.reductions().front().name;
        config.overlap = false;
        all.push_back(config);
    }
    return all;
}

void check_modes_agree(std::size_t bucket_kib) {
    // 150 images do not divide by any world size above 3, and no share by the batch of 16.
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : {1UL, 2UL, 3UL, 4UL, 7UL}) {
        std::map<std::string, core::RunResult> results;
        for (const core::RunConfig& config : variants(workers, bucket_kib)) {
            const std::string name =
                config.mode + " " + config.reduction + (config.overlap ? " overlap" : "");
            results[name] = experiments::run_job(tests::make_job(config, data));
            CHECK(results[name].reduction == config.reduction);
        }
        const core::RunResult& oracle = results.at("serial none overlap");
        CHECK(oracle.epochs.size() == 2);
        CHECK((bucket_kib < 2000) == (oracle.exchange_buckets > 1));
        for (const auto& [name, result] : results) {
            INFO(name << " with " << workers << " workers, buckets of " << bucket_kib << " KiB");
            CHECK(result.checksum == oracle.checksum);
            CHECK(result.test_loss == oracle.test_loss);
            const std::size_t calls = tests::holds(name, " overlap") ? 1 : result.exchange_buckets;
            CHECK(result.workers[0].epochs[0].exchange.calls == calls * result.steps_per_epoch);
            CHECK(result.test_accuracy == oracle.test_accuracy);
            for (std::size_t e = 0; e < 2; ++e) {
                CHECK(result.epochs[e].train_loss == oracle.epochs[e].train_loss);
                CHECK(result.epochs[e].train_accuracy == oracle.epochs[e].train_accuracy);
                CHECK(result.epochs[e].images == oracle.epochs[e].images);
            }
        }
    }
}

}  // namespace

TEST_CASE("all modes end with the same bits with one exchange bucket") {
    check_modes_agree(25 * 1024);
}

TEST_CASE("all modes end with the same bits with the default exchange buckets") {
    check_modes_agree(core::RunConfig{}.bucket_kib);
}

TEST_CASE("all modes end with the same bits with several exchange buckets") {
    check_modes_agree(64);
}

TEST_CASE("the reductions and the overlap change no bit in a run with a straggler") {
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    std::set<std::string> checksums;
    for (const core::Phase phase : {core::Phase::kLoad, core::Phase::kForward,
                                    core::Phase::kBackward, core::Phase::kUpdate}) {
        for (core::RunConfig config : variants(3, 64)) {
            config.epochs = 1;
            config.delay = core::Delay{1, 3.0, phase};
            checksums.insert(experiments::run_job(tests::make_job(config, data)).checksum);
        }
    }
    CHECK(checksums.size() == 1);
}

TEST_CASE("all modes end with the same bits with one exchange per tensor") { check_modes_agree(0); }

TEST_CASE("all modes end with the same bits in bfloat16") {
    if (!experiments::read_machine().native_bf16) {
        WARN("not run: this CPU does not multiply bfloat16, and the program refuses it");
        return;
    }
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : {1UL, 3UL}) {
        std::map<std::string, std::string> checksums;
        for (const experiments::Mode& mode : experiments::modes()) {
            core::RunConfig config = tests::small_config(std::string(mode.name), workers);
            config.network.precision = core::Precision::kBFloat16;
            checksums[config.mode] = experiments::run_job(tests::make_job(config, data)).checksum;
        }
        CHECK(checksums.at("threads") == checksums.at("serial"));
        CHECK(checksums.at("procs") == checksums.at("serial"));
    }
}

TEST_CASE("another seed ends with other bits and the same seed with the same") {
    const core::Dataset data = core::make_synthetic(1, 64, 16);
    core::RunConfig config = tests::small_config("serial", 1);
    const auto checksum = [&] {
        return experiments::run_job(tests::make_job(config, data)).checksum;
    };
    const std::string first = checksum();
    CHECK(checksum() == first);
    config.seed = 2;
    CHECK(checksum() != first);
}
