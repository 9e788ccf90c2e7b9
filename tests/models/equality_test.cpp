// The strongest check there is: all reductions that add in one order end with the same parameters,
// to the last bit, in every mode.
#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/train/serial.hpp"
#include "experiments/machine/machine.hpp"
#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/modes.hpp"

using namespace dp;

namespace {

/// Every mode with each of its reductions that adds in `order`, and the default ones among them
/// without overlap too.
std::vector<core::RunConfig> variants(core::SumOrder order, std::size_t workers,
                                      std::size_t bucket_kib) {
    std::vector<core::RunConfig> all;
    for (const experiments::Mode& mode : tests::forked_modes()) {
        core::RunConfig config = tests::small_config(std::string(mode.name), workers);
        config.bucket_kib = bucket_kib;
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            if (reduction.order != order) continue;
            config.reduction = reduction.name;
            config.overlap = true;
            all.push_back(config);
            if (reduction.can_shard) {
                config.update = core::UpdateKind::kSharded;
                all.push_back(config);
                config.update = core::UpdateKind::kReplicated;
            }
            config.overlap = false;
            if (reduction.name == mode.reductions().front().name) all.push_back(config);
        }
    }
    return all;
}

/// Serial's reduction that adds in `order`.
std::string oracle_of(core::SumOrder order) {
    for (const core::SerialReduction& row : core::serial_reductions()) {
        if (row.traits.order == order) return std::string(row.traits.name);
    }
    FAIL("serial does not play an order that a reduction has");
    return "";
}

constexpr std::array kAllWorlds{1UL, 2UL, 3UL, 4UL, 7UL};
// With these, every rank has a neighbour on either side, and trees have folded ranks.
constexpr std::array kFewWorlds{2UL, 3UL, 7UL};

void check_modes_agree(core::SumOrder order, std::size_t bucket_kib,
                       std::span<const std::size_t> worlds) {
    // 150 images do not divide by any world size above 3, and no share by the batch of 16.
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : worlds) {
        std::map<std::string, core::RunResult> results;
        for (const core::RunConfig& config : variants(order, workers, bucket_kib)) {
            const std::string name =
                config.mode + " " + config.reduction + (config.overlap ? " overlap" : "") +
                (config.update == core::UpdateKind::kSharded ? " sharded" : "");
            results[name] = experiments::run_job(tests::make_job(config, data));
            CHECK(results[name].reduction == config.reduction);
            if (config.update == core::UpdateKind::kSharded) {
                CHECK(results[name].update_kind == "sharded");
            }
        }
        const core::RunResult& oracle = results.at("serial " + oracle_of(order) + " overlap");
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
    check_modes_agree(core::SumOrder::kRing, 25 * 1024, kFewWorlds);
}

TEST_CASE("all modes end with the same bits with the default exchange buckets") {
    check_modes_agree(core::SumOrder::kRing, core::RunConfig{}.bucket_kib, kAllWorlds);
}

TEST_CASE("all modes end with the same bits with several exchange buckets") {
    check_modes_agree(core::SumOrder::kRing, 64, kFewWorlds);
}

TEST_CASE("all modes that add in a tree end with the same bits with one exchange bucket") {
    check_modes_agree(core::SumOrder::kTree, 25 * 1024, kAllWorlds);
}

TEST_CASE("all modes that add in a tree end with the same bits with several exchange buckets") {
    check_modes_agree(core::SumOrder::kTree, 64, kFewWorlds);
}

TEST_CASE("a ring and a tree add three ranks or more in another order") {
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : {1UL, 2UL, 3UL, 4UL}) {
        std::set<std::string> checksums;
        for (const core::SerialReduction& row : core::serial_reductions()) {
            if (row.traits.order == core::SumOrder::kGrouped) continue;  // groups of one: a ring
            core::RunConfig config = tests::small_config("serial", workers);
            config.epochs = 1;
            config.reduction = row.traits.name;
            checksums.insert(experiments::run_job(tests::make_job(config, data)).checksum);
        }
        CHECK(checksums.size() == (workers < 3 ? 1 : 2));
    }
}

TEST_CASE("what adds in no fixed order ends with the bits of serial where two orders are one") {
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : {1UL, 2UL}) {
        core::RunConfig config = tests::small_config("serial", workers);
        config.bucket_kib = 64;
        const auto oracle = experiments::run_job(tests::make_job(config, data));
        for (const experiments::Mode& mode : tests::forked_modes()) {
            for (const core::ExchangeTraits& reduction : mode.reductions()) {
                if (reduction.order != core::SumOrder::kUnordered || mode.one_replica) continue;
                config.mode = mode.name;
                config.reduction = reduction.name;
                INFO(mode.name << " " << reduction.name << " with " << workers << " workers");
                const auto result = experiments::run_job(tests::make_job(config, data));
                CHECK(result.checksum == oracle.checksum);
                CHECK(result.epochs.back().train_loss == oracle.epochs.back().train_loss);
            }
        }
    }
}

TEST_CASE("the reductions and the overlap change no bit in a run with a straggler") {
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    std::set<std::string> checksums;
    for (const core::Phase phase : {core::Phase::kLoad, core::Phase::kForward,
                                    core::Phase::kBackward, core::Phase::kUpdate}) {
        for (core::RunConfig config : variants(core::SumOrder::kRing, 3, 64)) {
            config.epochs = 1;
            config.delay = core::Delay{1, 3.0, phase};
            checksums.insert(experiments::run_job(tests::make_job(config, data)).checksum);
        }
    }
    CHECK(checksums.size() == 1);
}

TEST_CASE("all modes end with the same bits with one exchange per tensor") {
    check_modes_agree(core::SumOrder::kRing, 0, kAllWorlds);
}

TEST_CASE("all modes that add in a tree end with the same bits with one exchange per tensor") {
    check_modes_agree(core::SumOrder::kTree, 0, kFewWorlds);
}

TEST_CASE("without overlap and buckets every reduction makes one all-reduce for each tensor") {
    const core::Dataset data = core::make_synthetic(1, 64, 16);
    for (const experiments::Mode& mode : tests::forked_modes()) {
        if (mode.one_replica) continue;
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            INFO(mode.name << " " << reduction.name);
            core::RunConfig config = tests::small_config(std::string(mode.name), 2);
            config.model = "simple_cnn";
            config.reduction = reduction.name;
            config.bucket_kib = 0;
            config.overlap = false;
            const core::RunResult result = experiments::run_job(tests::make_job(config, data));
            CHECK(result.exchange_buckets == 8);
            REQUIRE(result.steps_per_epoch == 2);
            for (const core::WorkerReport& worker : result.workers) {
                CHECK(worker.epochs.at(0).exchange.calls == 16);
            }
        }
    }
}

TEST_CASE("ranks that shard their updates hold the optimizer's state once, all together") {
    const core::Dataset data = core::make_synthetic(1, 64, 16);
    for (const std::string optimizer : {"sgd", "adam"}) {
        for (const std::string reduction : {"message-ring", "halving-doubling"}) {
            for (const std::size_t workers : {2UL, 3UL, 4UL}) {
                INFO(optimizer << " " << reduction << " with " << workers << " workers");
                core::RunConfig config = tests::small_config("procs", workers);
                config.epochs = 1;
                config.optimizer = core::OptimizerConfig::defaults(optimizer);
                config.reduction = reduction;
                config.update = core::UpdateKind::kSharded;
                const core::RunResult result = experiments::run_job(tests::make_job(config, data));
                const std::uint64_t whole =
                    result.workers[0].memory.parameters_bytes * (optimizer == "adam" ? 2 : 1);
                const std::size_t shards =
                    reduction == "message-ring" ? workers : std::bit_floor(workers);
                std::uint64_t sum = 0;
                std::uint64_t most = 0;
                for (const core::WorkerReport& worker : result.workers) {
                    sum += worker.memory.optimizer_bytes;
                    most = std::max(most, worker.memory.optimizer_bytes);
                }
                CHECK(sum == whole);
                // Chunks are whole cache lines of each bucket.
                CHECK(most < whole / shards + 8192);
            }
        }
    }
}

TEST_CASE("all modes end with the same bits in bfloat16") {
    if (!experiments::read_machine().native_bf16) {
        WARN("not run: this CPU does not multiply bfloat16, and the program refuses it");
        return;
    }
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const std::size_t workers : {1UL, 3UL}) {
        std::map<std::string, std::string> checksums;
        for (const experiments::Mode& mode : tests::forked_modes()) {
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

TEST_CASE("where one rank updates for all, no rank is late at publish") {
    const core::Dataset data = core::make_synthetic(1, 96, 16);
    for (const experiments::Mode& mode : tests::forked_modes()) {
        for (const core::ExchangeTraits& reduction : mode.reductions()) {
            if (reduction.update != core::UpdateKind::kCentral) continue;
            core::RunConfig config = tests::small_config(std::string(mode.name), 3);
            config.reduction = reduction.name;
            const auto result = experiments::run_job(tests::make_job(config, data));
            CHECK(result.update_kind == "central");
            for (const core::WorkerReport& worker : result.workers) {
                INFO(mode.name << " " << reduction.name << " rank " << worker.rank);
                CHECK(worker.epochs[0].late_at_publish.steps == 0);
            }
        }
    }
}

TEST_CASE("how ranks wait for each other changes no bit") {
    const core::Dataset data = core::make_synthetic(1, 48, 16);
    core::RunConfig config = tests::small_config("serial", 3);
    config.batch_size = 8;
    const std::string oracle = experiments::run_job(tests::make_job(config, data)).checksum;
    for (const char* mode : {"threads", "procs"}) {
        for (const auto& wait : core::kWaits) {
            INFO(mode << " " << wait.name);
            config.mode = mode;
            config.wait = wait.value;
            CHECK(experiments::run_job(tests::make_job(config, data)).checksum == oracle);
        }
    }
}

TEST_CASE("a rank that blocks is asleep while it waits, and one that spins is not") {
    const core::Dataset data = core::make_synthetic(1, 64, 16);
    // Rank 1 is 50 ms late in each of eight steps, so rank 0 waits for it.
    core::RunConfig config = tests::small_config("", 2);
    config.batch_size = 8;
    config.delay = core::Delay{1, 50.0, core::Phase::kForward};
    const auto switches = [&](core::WaitKind wait) {
        config.wait = wait;
        const auto result = experiments::run_job(tests::make_job(config, data));
        std::int64_t sum = 0;
        for (const core::WorkerEpoch& epoch : result.workers[0].epochs) {
            sum += epoch.usage.voluntary_switches;
        }
        return sum;
    };
    // Of the processes of hybrid there are two of one thread, then one of two.
    for (const auto& [mode, threads] : {std::pair{"threads", 1UL}, std::pair{"procs", 1UL},
                                        std::pair{"hybrid", 1UL}, std::pair{"hybrid", 2UL}}) {
        INFO(mode << " " << threads);
        config.mode = mode;
        config.threads_per_worker = threads;
        const std::int64_t spins = switches(core::WaitKind::kSpin);
        const std::int64_t blocks = switches(core::WaitKind::kBlock);
        CHECK(blocks >= 8);
        CHECK(spins < blocks / 2);
    }
}

TEST_CASE("processes of threads end with the bits of serial that adds in the same groups") {
    const core::Dataset data = core::make_synthetic(1, 150, 40);
    for (const auto& [processes, threads] :
         {std::pair{1UL, 2UL}, std::pair{2UL, 1UL}, std::pair{2UL, 2UL}, std::pair{2UL, 3UL},
          std::pair{3UL, 2UL}}) {
        core::RunConfig config = tests::small_config("serial", processes * threads);
        config.threads_per_worker = threads;
        config.reduction = "grouped";
        for (const std::size_t bucket_kib : {0UL, 64UL, 1024UL}) {
            INFO(processes << " x " << threads << ", buckets of " << bucket_kib << " KiB");
            config.bucket_kib = bucket_kib;
            const auto oracle = experiments::run_job(tests::make_job(config, data));
            core::RunConfig hybrid = config;
            hybrid.mode = "hybrid";
            hybrid.reduction = "";
            for (const bool overlap : {true, false}) {
                hybrid.overlap = overlap;
                const auto result = experiments::run_job(tests::make_job(hybrid, data));
                CHECK(result.checksum == oracle.checksum);
                CHECK(result.test_loss == oracle.test_loss);
                CHECK(result.workers.size() == processes * threads);
            }
        }
    }
}
