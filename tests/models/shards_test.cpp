// With --shards the number of workers changes no bit: S shards are S ranks, whoever plays them.
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "experiments/modes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/program.hpp"

using namespace dp;

namespace {

/// cifar_cnn, with batch norm and dropout, on batches of 4 for each shard. 70 images do not divide
/// by 4 or 8, nor the shards' by their batch.
core::RunConfig sharded_config(std::string_view mode, std::size_t workers, std::size_t shards) {
    core::RunConfig config = tests::small_config(std::string(mode), workers);
    config.shards = shards;
    config.batch_size = 4;
    config.bucket_kib = 64;
    return config;
}

core::Dataset small_data() { return core::make_synthetic(1, 70, 20); }

/// What `shards` workers of one shard each end with, which serial plays in the order of a tree.
core::RunResult oracle_of(core::RunConfig config, const core::Dataset& data) {
    config.mode = "serial";
    config.workers = config.world_size();
    config.shards.reset();
    config.reduction = "tree";
    config.update = core::UpdateKind::kReplicated;
    return experiments::run_job(tests::make_job(config, data));
}

void check_same(const core::RunResult& result, const core::RunResult& oracle) {
    CHECK(result.checksum == oracle.checksum);
    CHECK(result.test_loss == oracle.test_loss);
    CHECK(result.test_accuracy == oracle.test_accuracy);
    CHECK(result.steps_per_epoch == oracle.steps_per_epoch);
    REQUIRE(result.epochs.size() == oracle.epochs.size());
    for (std::size_t e = 0; e < result.epochs.size(); ++e) {
        CHECK(result.epochs[e].train_loss == oracle.epochs[e].train_loss);
        CHECK(result.epochs[e].train_accuracy == oracle.epochs[e].train_accuracy);
        CHECK(result.epochs[e].images == oracle.epochs[e].images);
    }
}

/// Runs `config` with every reduction of its mode that adds as a tree.
void check_reductions(core::RunConfig config, const core::Dataset& data,
                      const core::RunResult& oracle) {
    for (const core::ExchangeTraits& reduction : experiments::find_mode(config.mode).reductions()) {
        if (reduction.order != core::SumOrder::kTree) continue;
        config.reduction = reduction.name;
        for (const auto update : {core::UpdateKind::kReplicated, core::UpdateKind::kSharded}) {
            if (update == core::UpdateKind::kSharded && !reduction.can_shard) continue;
            config.update = update;
            INFO(config.mode << " " << reduction.name << " " << core::name_of(update) << ", "
                             << config.workers << " workers play " << *config.shards);
            const auto result = experiments::run_job(tests::make_job(config, data));
            check_same(result, oracle);
            for (const core::WorkerReport& worker : result.workers) {
                CHECK(worker.rank == static_cast<std::size_t>(&worker - result.workers.data()));
                CHECK(worker.epochs[0].images * result.workers.size() == oracle.epochs[0].images);
            }
        }
    }
}

}  // namespace

TEST_CASE("with eight shards every number of workers ends with the same bits, in every mode") {
    const core::Dataset data = small_data();
    core::RunConfig config = sharded_config("serial", 1, 8);
    config.epochs = 1;
    const core::RunResult oracle = oracle_of(config, data);
    CHECK(oracle.epochs[0].images == 72);  // wrapped around to a multiple of 8
    for (const std::size_t workers : {1UL, 2UL, 4UL, 8UL}) {
        config.workers = workers;
        for (const char* mode : {"serial", "threads", "procs"}) {
            config.mode = mode;
            check_reductions(config, data, oracle);
        }
    }
}

TEST_CASE("with four shards processes of threads end with the same bits too, and without overlap") {
    const core::Dataset data = small_data();
    core::RunConfig config = sharded_config("serial", 1, 4);
    const core::RunResult oracle = oracle_of(config, data);
    for (const bool overlap : {true, false}) {
        config.overlap = overlap;
        for (const std::size_t workers : {1UL, 2UL, 4UL}) {
            config.workers = workers;
            for (const std::size_t threads : {1UL, 2UL, 4UL}) {
                if (threads > workers) continue;
                config.mode = "hybrid";
                config.threads_per_worker = threads;
                check_reductions(config, data, oracle);
            }
            config.threads_per_worker = 1;
            config.mode = "threads";
            check_reductions(config, data, oracle);
        }
    }
}

TEST_CASE("one worker plays more shards than one message between workers has figures of") {
    const core::Dataset data = small_data();
    core::RunConfig config = sharded_config("threads", 2, 32);
    config.batch_size = 2;
    config.epochs = 1;
    config.model = "simple_cnn";
    check_reductions(config, data, oracle_of(config, data));
}

TEST_CASE("a delay is for the turn of one shard, whoever plays it") {
    const core::Dataset data = small_data();
    for (const core::Phase phase : {core::Phase::kForward, core::Phase::kUpdate}) {
        core::RunConfig config = sharded_config("threads", 2, 4);
        config.epochs = 1;
        config.reduction = "tree";
        config.delay = core::Delay{3, 40.0, phase};
        const auto result = experiments::run_job(tests::make_job(config, data));
        const auto seconds = [&](std::size_t worker) {
            return result.workers[worker].epochs[0].phase_seconds[static_cast<std::size_t>(phase)];
        };
        INFO(core::name_of(phase) << " " << seconds(0) << " s and " << seconds(1) << " s");
        REQUIRE(result.steps_per_epoch == 5);
        CHECK(seconds(1) > 0.2);               // worker 1 plays shards 2 and 3
        CHECK(seconds(1) < 0.4 + seconds(0));  // once a step
        CHECK(seconds(0) < seconds(1));
    }
}

TEST_CASE(
    "a sweep with shards has one checksum, tells them everywhere, and is not predicted from") {
    const tests::TemporaryFolder folder;
    const std::string out = folder.path() / "out";
    const std::vector<std::string> sharded{"--mode",       "serial,threads,procs",
                                           "-n",           "1,2,4",
                                           "--shards",     "4",
                                           "--batch-size", "8",
                                           "--model",      "simple_cnn",
                                           "--epochs",     "1",
                                           "--steps",      "3"};
    const auto run = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments = sharded;
        arguments.insert(arguments.end(), more.begin(), more.end());
        return tests::run_program(arguments);
    };
    const auto plan = run({"--dry-run"});
    INFO(plan.out << plan.err);
    REQUIRE(plan.exit_code == 0);
    CHECK(tests::holds(plan.out, "threads: 2 workers x 1 thread, batch 8 per shard, 32 effective"));
    CHECK(tests::holds(plan.out, "reduction in-place-tree, --shards 4"));

    const auto sweep = run({"--out", out});
    INFO(sweep.out << sweep.err);
    REQUIRE(sweep.exit_code == 0);
    CHECK(tests::holds(sweep.out, "All runs of N = 1, 2 and 4"));
    const auto rows = tests::csv_rows(out + "/runs.csv");
    REQUIRE(rows.size() == 7);
    for (const auto& row : rows) {
        CHECK(row.at("checksum") == rows.front().at("checksum"));
        CHECK(row.at("shards") == "4");
        CHECK(row.at("effective_batch") == "32");
    }
    const auto summary = nlohmann::json::parse(std::ifstream(out + "/summary.json"));
    REQUIRE(summary.at("correctness").size() == 1);
    CHECK(summary["correctness"][0].at("shards") == 4);
    CHECK(summary["correctness"][0].at("runs") == 7);
    std::ifstream file(out + "/report.md");
    const std::string report{std::istreambuf_iterator<char>(file), {}};
    CHECK(tests::holds(report, "| shards | 4 |"));

    const auto predicted = tests::run_program({"predict", out});
    INFO(predicted.err);
    CHECK(predicted.exit_code == 2);
    CHECK(tests::holds(predicted.err, "nothing can be predicted"));

    const auto refused = run({"--reduction", "in-place"});
    INFO(refused.err);
    CHECK(refused.exit_code == 2);
    CHECK(tests::holds(refused.err, "(tree, in-place-tree, halving-doubling, recursive-doubling)"));
    const auto shared = tests::run_program({"--mode", "procs", "-n", "3", "--shards", "4"});
    CHECK(shared.exit_code == 2);
    CHECK(tests::holds(shared.err,
                       "3 workers: choose a number of workers that divides it (1, 2, 4)"));
}
