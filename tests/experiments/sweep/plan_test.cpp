// What a request runs, and in which order.
#include "experiments/sweep/plan.hpp"
#include "experiments/command_line.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "experiments/modes.hpp"
#include "experiments/sweep/checks.hpp"
#include "experiments/sweep/time_left.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::Request;
using experiments::Scaling;

namespace {

Request request(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "dp_compare");
    return std::get<Request>(
        experiments::parse_command_line(static_cast<int>(arguments.size()), arguments.data()));
}

std::string usage_error(const std::vector<const char*>& arguments) {
    const auto error = tests::error_of([&] { request(arguments); });
    return error && error->code() == core::ExitCode::kUsage ? error->what() : "";
}

std::string name_of(const experiments::Run& run) {
    return fmt::format("{} {}", run.mode(), run.workers());
}

/// The configurations of repetition `repetition` of a schedule, as they are started.
std::vector<std::string> order_of(const std::vector<experiments::Run>& runs,
                                  std::size_t repetition) {
    std::vector<std::string> order;
    for (const auto& run : runs) {
        if (run.repetition == repetition) order.push_back(name_of(run));
    }
    return order;
}

}  // namespace

TEST_CASE("each repetition runs every configuration once, in an order of its own") {
    const auto configurations = experiments::plan_configurations(
        request({"--mode", "serial,threads,procs", "-n", "1,2,4,6,8"}));
    REQUIRE(configurations.size() == 11);
    const auto runs = experiments::schedule(configurations, Scaling::kFixedEpoch, 5, 1);
    REQUIRE(runs.size() == 55);
    std::set<std::vector<std::string>> orders;
    for (std::size_t repetition = 1; repetition <= 5; ++repetition) {
        std::vector<std::string> order = order_of(runs, repetition);
        orders.insert(order);
        std::ranges::sort(order);
        CHECK(std::ranges::adjacent_find(order) == order.end());
        CHECK(order.size() == 11);
    }
    CHECK(orders.size() == 5);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        CHECK(runs[i].sequence == i + 1);
        CHECK(runs[i].repetition == i / 11 + 1);
    }
    SECTION("runs of one N are neighbours, whose order differs between repetitions and N") {
        std::map<std::size_t, std::set<std::vector<std::string>>> orders_of;
        for (std::size_t repetition = 1; repetition <= 5; ++repetition) {
            std::map<std::size_t, std::vector<std::size_t>> places;
            std::map<std::size_t, std::vector<std::string>> modes;
            for (const auto& run : runs) {
                if (run.repetition != repetition) continue;
                places[run.workers()].push_back(run.sequence);
                modes[run.workers()].push_back(run.mode());
            }
            for (const auto& [workers, at] : places) {
                CHECK(at.back() - at.front() + 1 == at.size());
                orders_of[workers].insert(modes[workers]);
            }
        }
        std::size_t different = 0;
        for (const auto& [workers, all] : orders_of) different += all.size();
        CHECK(orders_of.at(1).size() > 2);
        CHECK(different > 10);  // of 5 N, each with 2 orders but N = 1 with 6
    }
    SECTION("the same for the same seed, another for another") {
        const auto again = experiments::schedule(configurations, Scaling::kFixedEpoch, 5, 1);
        CHECK(order_of(again, 3) == order_of(runs, 3));
        const auto other = experiments::schedule(configurations, Scaling::kFixedEpoch, 5, 2);
        CHECK(order_of(other, 3) != order_of(runs, 3));
    }
    SECTION("every place of the order comes to every configuration sooner or later") {
        std::map<std::string, std::set<std::size_t>> places;
        const auto many = experiments::schedule(configurations, Scaling::kFixedEpoch, 200, 1);
        for (const auto& run : many) {
            places[name_of(run)].insert((run.sequence - 1) % configurations.size());
        }
        for (const auto& [name, seen] : places) CHECK(seen.size() == configurations.size());
    }
}

TEST_CASE("a single repetition keeps the order in which it was asked") {
    const auto configurations =
        experiments::plan_configurations(request({"--mode", "serial,threads,procs", "-n", "1,2"}));
    const auto runs = experiments::schedule(configurations, Scaling::kFixedEpoch, 1, 1);
    CHECK(order_of(runs, 1) ==
          std::vector<std::string>{"serial 1", "threads 1", "procs 1", "threads 2", "procs 2"});
}

TEST_CASE("strong scaling shares the batch of one worker, or the global batch given") {
    const auto batches = [](const std::vector<const char*>& arguments) {
        std::vector<std::size_t> all;
        for (const auto& run : experiments::plan_configurations(request(arguments))) {
            all.push_back(run.batch_size);
        }
        return all;
    };
    CHECK(batches({"--mode", "procs", "-n", "1,2,4", "--scaling", "strong"}) ==
          std::vector<std::size_t>{128, 64, 32});
    CHECK(batches({"--mode", "procs", "-n", "2", "--scaling", "strong", "--batch-size", "32"}) ==
          std::vector<std::size_t>{16});
    CHECK(request({"-n", "2", "--global-batch", "64"}).scaling == Scaling::kStrong);
    CHECK(request({}).scaling == Scaling::kFixedEpoch);
    CHECK(
        tests::holds(usage_error({"--scaling", "weak", "--global-batch", "64"}), "--scaling weak"));
    CHECK(tests::holds(usage_error({"--scaling", "fixed-epoch", "--global-batch", "64"}),
                       "is --scaling strong"));
    CHECK(tests::holds(usage_error({"--scaling", "sideways"}), "'sideways'"));
}

TEST_CASE("shards are a power of two that the workers share, and need a reduction of a tree") {
    const auto plan = [](const std::vector<const char*>& arguments) {
        std::string all;
        for (const auto& run : experiments::plan_configurations(request(arguments))) {
            all += fmt::format("{}{} {} {} {}x{}", all.empty() ? "" : ", ", run.mode, run.workers,
                               run.reduction, run.ranks_per_worker(), run.batch_size);
        }
        return all;
    };
    CHECK(plan({"--mode", "serial,threads,procs,mpi", "-n", "2,8", "--shards", "8"}) ==
          "serial 1 tree 8x128, threads 2 in-place-tree 4x128, procs 2 halving-doubling 4x128, "
          "mpi 2 halving-doubling 4x128, threads 8 in-place-tree 1x128, "
          "procs 8 halving-doubling 1x128, mpi 8 halving-doubling 1x128");
    CHECK(plan({"--mode", "hybrid", "-n", "2", "--shards", "8", "--batch-size", "4"}) ==
          "hybrid 4 halving-doubling 2x4");
    CHECK(plan({"--mode", "threads,procs", "-n", "2", "--shards", "4", "--reduction",
                "recursive-doubling", "--global-batch", "64"}) ==
          "threads 2 in-place-tree 2x16, procs 2 recursive-doubling 2x16");

    const auto refused = [](std::vector<const char*> arguments, const std::string& shards,
                            const std::vector<std::string>& words) {
        arguments.insert(arguments.end(), {"--shards", shards.c_str()});
        const std::string error = usage_error(arguments);
        INFO(error);
        CHECK(tests::holds(error, "--shards " + shards));
        for (const std::string& word : words) CHECK(tests::holds(error, word));
    };
    refused({"-n", "3"}, "8", {"3 workers", "(1, 2, 4, 8)"});
    refused({"--mode", "procs", "-n", "16"}, "8", {"16 workers", "(1, 2, 4, 8)"});
    refused({"--mode", "hybrid", "-n", "4"}, "4", {"8 workers"});
    refused({"-n", "2"}, "6", {"power of two", "4 or 8"});
    refused({"--mode", "threads", "--reduction", "in-place"}, "4",
            {"--reduction in-place does not", "(in-place-tree, tree)"});
    refused({"--mode", "serial,procs", "--reduction", "message-ring"}, "4",
            {"--reduction message-ring", "(tree, halving-doubling, recursive-doubling)"});
    refused({"--mode", "intraop", "-n", "2"}, "4",
            {"--mode intraop", "(serial, threads, procs, hybrid, mpi, hybrid-mpi)"});
    refused({"--mode", "threads", "--scaling", "weak"}, "4", {"--scaling weak"});
    CHECK(tests::holds(usage_error({"--shards", "8", "--global-batch", "20"}), "8 shards"));
    CHECK(tests::holds(usage_error({"--shards", "4", "--inject", "delay:rank=4,ms=1,phase=load"}),
                       "0 to 3"));
    CHECK(usage_error({"--shards", "4", "--inject", "delay:rank=3,ms=1,phase=load"}).empty());
    CHECK_FALSE(usage_error({"--shards", "0"}).empty());
}

TEST_CASE("teams are oversubscribed where all their ranks are more than the CPUs") {
    experiments::Machine machine;
    machine.affinity = {0, 1, 2, 3};
    for (const char* mode : {"hybrid", "hybrid-mpi"}) {
        const auto configurations = experiments::plan_configurations(
            request({"--mode", mode, "-n", "2,3", "--threads-per-worker", "2"}));
        REQUIRE(configurations.size() == 2);
        INFO(mode);
        CHECK(configurations[0].workers == 4);
        CHECK_FALSE(experiments::is_oversubscribed(configurations[0], machine));
        CHECK(experiments::is_oversubscribed(configurations[1], machine));
    }
    const auto turns = experiments::plan_configurations(request({"--mode", "serial", "-n", "8"}));
    CHECK_FALSE(experiments::is_oversubscribed(turns.at(0), machine));
}

TEST_CASE("trees over processes of trees over threads are made of powers of two") {
    const auto error = [](const char* processes, const char* threads) {
        return usage_error({"--mode", "hybrid", "-n", processes, "--threads-per-worker", threads,
                            "--reduction", "halving-doubling"});
    };
    CHECK(tests::holds(error("3", "2"), "-n 3 with --threads-per-worker 2"));
    CHECK(tests::holds(error("2", "3"), "powers of two"));
    CHECK(error("2", "4").empty());
    CHECK(error("1", "3").empty());
    CHECK(error("3", "1").empty());
}

TEST_CASE("weak scaling gives each worker the steps that the most workers can make") {
    const auto steps = [](const std::vector<const char*>& arguments, std::size_t images) {
        auto configurations = experiments::plan_configurations(request(arguments));
        experiments::equalise_steps(configurations, images);
        std::vector<std::size_t> all;
        for (const auto& run : configurations) all.push_back(run.steps_limit.value());
        return all;
    };
    // 10,000 images are 19 full steps of 4 workers with 128 each.
    CHECK(steps({"--mode", "threads", "-n", "1,2,4", "--scaling", "weak"}, 10'000) ==
          std::vector<std::size_t>{19, 19, 19});
    CHECK(steps({"--mode", "threads", "-n", "1,4", "--scaling", "weak", "--steps", "7"}, 10'000) ==
          std::vector<std::size_t>{7, 7});
    const auto error = tests::error_of([&] {
        steps({"--mode", "threads", "-n", "4", "--scaling", "weak"}, 511);
    });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    CHECK(tests::holds(error->what(), "4 workers need 512 images"));
}

TEST_CASE("the time left follows from runs of the same configuration, else from their images") {
    experiments::TimeLeft left(2.0, 1000);
    core::RunConfig config;
    config.epochs = 1;
    const auto estimate = [&](const char* mode, std::size_t workers) {
        config.mode = mode;
        config.workers = workers;
        return left.estimate_seconds(config);
    };
    CHECK(!estimate("serial", 1));
    config.mode = "serial";
    left.add_done(config, 10.0);
    CHECK(estimate("serial", 1) == 10.0);
    CHECK(estimate("threads", 2) == 5.0);
    CHECK(estimate("threads", 8) == 5.0);  // no more than two CPUs
    CHECK(estimate("serial", 8) == 10.0);  // virtual workers take turns
    config.mode = "threads";
    config.workers = 2;
    left.add_done(config, 8.0);
    left.add_done(config, 6.0);
    CHECK(estimate("threads", 2) == 7.0);
}

TEST_CASE("durations read as a person says them") {
    CHECK(experiments::duration_text(0.2) == "0 s");
    CHECK(experiments::duration_text(59.4) == "59 s");
    CHECK(experiments::duration_text(192.0) == "3 min 12 s");
    CHECK(experiments::duration_text(7500.0) == "2 h 05 min");
}

TEST_CASE("a sweep may have several reductions, each mode those that it has") {
    const auto designs = [](std::vector<const char*> arguments) {
        std::vector<std::string> names;
        for (const auto& config : experiments::plan_configurations(request(std::move(arguments)))) {
            names.push_back(fmt::format("{} {}", experiments::design_of(config), config.workers));
        }
        return names;
    };
    using Names = std::vector<std::string>;
    CHECK(designs({"--mode", "serial,threads,procs", "-n", "2", "--reduction", "tree,in-place"}) ==
          Names{"serial 1", "threads/tree 2", "threads 2", "procs/tree 2"});
    CHECK(designs({"--mode", "serial,threads,procs", "-n", "2", "--reduction", "critical"}) ==
          Names{"serial 1", "threads/critical 2", "procs 2"});
    CHECK(designs({"--mode", "serial", "-n", "2,1", "--reduction", "tree"}) ==
          Names{"serial/tree 2", "serial 1"});

    const auto all = designs({"--mode", "threads,procs", "-n", "2,4", "--reduction", "all"});
    const auto count = experiments::find_mode("threads").reductions().size() +
                       experiments::find_mode("procs").reductions().size();
    CHECK(all.size() == 2 * count);
    CHECK(all.front() == "threads 2");
    CHECK(std::set(all.begin(), all.end()).size() == all.size());

    CHECK(tests::holds(usage_error({"--mode", "threads", "--reduction", "tree,server"}),
                       "--reduction 'server' is no reduction of the modes asked for"));
    CHECK(tests::holds(usage_error({"--mode", "threads", "--reduction", "tree,tree"}),
                       "--reduction"));
    CHECK(tests::holds(usage_error({"--mode", "threads", "--reduction", "tree,,atomic"}), "''"));
}
