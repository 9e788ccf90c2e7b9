// The strongest check there is: every mode ends with the same parameters, to the last bit.
#include <map>
#include <string>

#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jobs.hpp"

using namespace dp;

namespace {

void check_modes_agree(std::size_t bucket_kib) {
    // 150 images do not divide by any world size above 3, and no share by the batch of 16.
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : {1UL, 2UL, 3UL, 4UL, 7UL}) {
        std::map<std::string, core::RunResult> results;
        for (const experiments::Mode& mode : experiments::modes()) {
            core::RunConfig config = tests::small_config(std::string(mode.name), workers);
            config.bucket_kib = bucket_kib;
            results[config.mode] = experiments::run_job(tests::make_job(config, data));
        }
        const core::RunResult& oracle = results.at("serial");
        CHECK(oracle.epochs.size() == 2);
        CHECK((bucket_kib < 1000) == (oracle.exchange_buckets > 1));
        for (const auto& [mode, result] : results) {
            INFO(mode << " with " << workers << " workers, buckets of " << bucket_kib << " KiB");
            CHECK(result.checksum == oracle.checksum);
            CHECK(result.test_loss == oracle.test_loss);
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

TEST_CASE("all modes end with the same bits with several exchange buckets") {
    check_modes_agree(64);
}

TEST_CASE("all modes end with the same bits with one exchange per tensor") { check_modes_agree(0); }

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
