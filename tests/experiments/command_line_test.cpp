// The command line: what it makes of what it is given.
#include "experiments/command_line.hpp"

#include "experiments/options/injection.hpp"
#include "experiments/options/nearest.hpp"
#include "experiments/sweep/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"

using namespace dp;
using experiments::Request;

namespace {

experiments::Parsed parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "dp_compare");
    return experiments::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Request request(const std::vector<const char*>& arguments) {
    return std::get<Request>(parse(arguments));
}

/// The message of the usage error that `arguments` make; empty when they make none.
std::string usage_error(const std::vector<const char*>& arguments) {
    const auto error = tests::error_of([&] { parse(arguments); });
    return error && error->code() == core::ExitCode::kUsage ? error->what() : "";
}

/// "serial 1, threads 2" for the runs of a request.
std::string plan_of(const std::vector<const char*>& arguments) {
    std::string plan;
    for (const core::RunConfig& run : experiments::plan_configurations(request(arguments))) {
        plan += fmt::format("{}{} {}", plan.empty() ? "" : ", ", run.mode, run.workers);
    }
    return plan;
}

}  // namespace

TEST_CASE("without arguments one serial worker trains for five epochs") {
    const Request plain = request({});
    CHECK(plan_of({}) == "serial 1");
    CHECK(plain.base.epochs == 5);
    CHECK(plain.base.batch_size == 128);
    CHECK(plain.base.dataset == "synthetic");
    CHECK(plain.base.model == "cifar_cnn");
    CHECK(plain.base.optimizer.learning_rate == 0.01);
}

TEST_CASE("beside other modes serial runs once with one worker and first") {
    CHECK(plan_of({"--mode", "threads,procs,serial", "-n", "1,2,4"}) ==
          "serial 1, threads 1, procs 1, threads 2, procs 2, threads 4, procs 4");
    CHECK(plan_of({"--mode", "serial", "-n", "1,4"}) == "serial 1, serial 4");
    CHECK(plan_of({"--mode", "threads", "--world-size", "6"}) == "threads 6");
}

TEST_CASE("a worker count that is no whole number from 1 is named") {
    for (const char* value : {"0", "x", "2.5", "257", "99999999999999999999"}) {
        INFO(value);
        const std::string message = usage_error({"-n", value});
        CHECK(tests::holds(message, std::string("-n '") + value + "'"));
        CHECK(tests::holds(message, "1 to 256"));
    }
    CHECK_FALSE(usage_error({"-n", "-1"}).empty());
    CHECK(tests::holds(usage_error({"-n", "2,2"}), "names 2 twice"));
}

TEST_CASE("an unknown option is named with the nearest known one") {
    CHECK(tests::holds(usage_error({"--epoch", "3"}), "--epoch (did you mean --epochs?)"));
    CHECK(tests::holds(usage_error({"--batchsize=3"}), "--batchsize (did you mean --batch-size?)"));
    CHECK(tests::holds(usage_error({"--zzzzzzzz"}), "--zzzzzzzz: see dp_compare --help"));
}

TEST_CASE("a value out of range is named") {
    for (const char* value : {"nan", "inf", "-1", "fast"}) {
        CHECK(tests::holds(usage_error({"--lr", value}), std::string("'") + value + "'"));
    }
    CHECK(tests::holds(usage_error({"--batch-size", "0"}), "'0'"));
    CHECK(tests::holds(usage_error({"--dropout", "1"}), "'1'"));
    CHECK(tests::holds(usage_error({"--mode", "thread"}), "'thread'"));
    CHECK(tests::holds(usage_error({"--model", "resnet"}), "'resnet'"));
    CHECK(tests::holds(usage_error({"--optimizer", "lion"}), "'lion'"));
    CHECK(tests::holds(usage_error({"--dataset", "imagenet"}), "imagenet"));
}

TEST_CASE("a global batch is shared out or refused") {
    const auto runs = experiments::plan_configurations(
        request({"--mode", "procs", "-n", "1,2,4", "--global-batch", "256"}));
    CHECK(runs[0].batch_size == 256);
    CHECK(runs[2].batch_size == 64);
    const auto error = tests::error_of([] {
        experiments::plan_configurations(request({"-n", "3", "--global-batch", "256"}));
    });
    REQUIRE(error);
    CHECK(error->code() == core::ExitCode::kUsage);
    CHECK(tests::holds(error->what(), "256 cannot be shared by 3"));
    CHECK(tests::holds(usage_error({"--batch-size", "8", "--global-batch", "16"}), "exclude"));
}

TEST_CASE("defaults follow the optimizer and the data set") {
    const Request adam = request({"--optimizer", "adam", "--dataset", "mnist"});
    CHECK(adam.base.optimizer.learning_rate == 0.001);
    CHECK(adam.base.optimizer.weight_decay == 0.0);
    CHECK(adam.base.model == "mnist_cnn");
    CHECK(request({"--optimizer", "adam", "--lr", "0.5"}).base.optimizer.learning_rate == 0.5);
}

TEST_CASE("one file cannot take the parameters of several runs") {
    CHECK(tests::holds(usage_error({"--mode", "threads,procs", "--save", "a.safetensors"}),
                       "a.safetensors"));
}

TEST_CASE("a reduction is for the modes that offer it and refused when none does") {
    const auto reductions_of = [](const std::vector<const char*>& arguments) {
        std::string all;
        for (const core::RunConfig& run : experiments::plan_configurations(request(arguments))) {
            all += fmt::format("{}{}", all.empty() ? "" : ", ", run.reduction);
        }
        return all;
    };
    const char* const modes = "serial,threads,procs";
    CHECK(reductions_of({"--mode", modes, "-n", "2"}) == "none, in-place, message-ring");
    CHECK(reductions_of({"--mode", modes, "-n", "2", "--reduction", "shared-direct"}) ==
          "none, in-place, shared-direct");
    for (const char* name : {"message-ring", "shared-ring", "shared-direct"}) {
        CHECK(reductions_of({"--mode", "procs", "--reduction", name}) == name);
    }
    const std::vector<std::pair<const char*, std::string>> former{
        {"slot-ring", "message-ring"}, {"ring", "shared-ring"}, {"direct", "shared-direct"}};
    for (const auto& [name, now] : former) {
        CHECK(reductions_of({"--mode", "procs", "--reduction", name}) == now);
    }
    const std::string refused = usage_error({"--mode", "serial,threads", "--reduction", "ring"});
    CHECK(tests::holds(refused, "'ring'"));
    CHECK(tests::holds(refused, "serial offers none, tree, grouped; threads offers in-place"));
    CHECK(tests::holds(
        usage_error({"--mode", "procs", "--reduction", "in-place"}),
        "procs offers message-ring, halving-doubling, recursive-doubling, tree, server, "
        "shared-ring, shared-direct"));
    // Alone, serial plays what others offer, if that has an order.
    CHECK(reductions_of({"--mode", "serial,threads", "-n", "2", "--reduction", "tree"}) ==
          "tree, tree");
    CHECK(reductions_of({"--mode", "serial", "--reduction", "shared-direct"}) == "none");
    CHECK(tests::holds(usage_error({"--mode", "serial", "--reduction", "atomic"}), "'atomic'"));
}

TEST_CASE("overlap is on unless it is switched off") {
    CHECK(request({}).base.overlap);
    CHECK_FALSE(request({"--overlap", "off"}).base.overlap);
    CHECK(tests::holds(usage_error({"--overlap", "maybe"}), "'maybe' is not on or off"));
}

TEST_CASE("a rank to delay is one of all ranks, which teams have more of than workers") {
    const auto refused = [](std::vector<const char*> arguments, const char* delay) {
        arguments.insert(arguments.end(), {"--inject", delay});
        return usage_error(arguments);
    };
    const std::vector<const char*> teams{"--mode", "hybrid", "-n", "2", "--threads-per-worker",
                                         "3"};
    CHECK(refused(teams, "delay:rank=5,ms=1,phase=load").empty());
    CHECK(tests::holds(refused(teams, "delay:rank=6,ms=1,phase=load"), "ranks are 0 to 5"));
    CHECK(refused({"--mode", "threads,hybrid", "-n", "2"}, "delay:rank=3,ms=1,phase=load").empty());
    CHECK(tests::holds(refused({"--mode", "intraop", "-n", "2"}, "delay:rank=1,ms=1,phase=load"),
                       "ranks are 0 to 0"));
}

TEST_CASE("an injected delay is taken apart and a wrong part is named") {
    const auto delay =
        request({"-n", "2", "--inject", "delay:rank=1,ms=2.5,phase=backward"}).base.delay;
    REQUIRE(delay);
    CHECK(delay->rank == 1);
    CHECK(delay->milliseconds == 2.5);
    CHECK(delay->phase == core::Phase::kBackward);
    CHECK(experiments::to_spec(*delay) == "delay:rank=1,ms=2.5,phase=backward");
    const auto refused = [](const char* spec) {
        return usage_error({"-n", "2", "--inject", spec});
    };
    CHECK(tests::holds(refused("crash:rank=1"), "'crash:rank=1' does not start with 'delay:'"));
    CHECK(tests::holds(refused("delay:rank=x,ms=1,phase=load"), "rank 'x'"));
    CHECK(tests::holds(refused("delay:rank=2,ms=1,phase=load"), "rank=2: ranks are 0 to 1"));
    CHECK(tests::holds(refused("delay:rank=1,ms=-1,phase=load"), "ms '-1'"));
    CHECK(tests::holds(refused("delay:rank=1,ms=nan,phase=load"), "ms 'nan'"));
    CHECK(tests::holds(refused("delay:rank=1,ms=1,phase=exchange"), "phase 'exchange'"));
    CHECK(tests::holds(refused("delay:rank=1,ms=1,color=red"), "'color=red'"));
    CHECK(tests::holds(refused("delay:rank=1,ms=1"), "lacks phase="));
    CHECK(tests::holds(refused("delay:"), "lacks rank="));
}

TEST_CASE("a list with an empty entry is refused") {
    for (const std::vector<const char*>& arguments : {std::vector<const char*>{"-n", "2,"},
                                                      {"-n2,"},
                                                      {"--workers=,2"},
                                                      {"-n", "1", "2,,4"},
                                                      {"--mode", "threads,", "-n", "2"},
                                                      {"allreduce", "-n", ",2"}}) {
        CHECK(tests::holds(usage_error(arguments), "has an empty entry"));
    }
    CHECK(usage_error({"-n", "2", "--out", "a,"}).empty());
}

TEST_CASE("a mode of allreduce that is misspelt is named with the nearest") {
    CHECK(tests::holds(usage_error({"allreduce", "--mode", "thread"}), "did you mean threads?"));
}

TEST_CASE("help as a word is the help") {
    const auto text = [&](const std::vector<const char*>& arguments) {
        return std::get<std::string>(parse(arguments));
    };
    CHECK(text({"help"}) == text({"--help"}));
    CHECK(text({"help", "diff"}) == text({"diff", "--help"}));
    CHECK_FALSE(text({"help", "diff"}) == text({"--help"}));
    CHECK(tests::holds(text({"--help"}), "143 terminated"));
}

TEST_CASE("help and version are text") {
    CHECK(tests::holds(std::get<std::string>(parse({"--help"})), "--mode"));
    CHECK(tests::holds(std::get<std::string>(parse({"--version"})), "dp_compare "));
}

TEST_CASE("the nearest word is found and a far one is not") {
    const std::vector<std::string> known{"--workers", "--world-size", "--epochs"};
    CHECK(experiments::nearest("--worker", known) == "--workers");
    CHECK(experiments::nearest("--wold-size", known) == "--world-size");
    CHECK(experiments::nearest("--qqqqqqqqqq", known).empty());
}

TEST_CASE("sharded updates are for the reductions that offer them, and one must be there") {
    CHECK(usage_error({"--mode", "procs", "--update", "sharded"}).empty());
    CHECK(
        usage_error({"--mode", "procs", "--update", "replicated", "--reduction", "tree"}).empty());
    for (const char* reduction : {"tree", "server", "recursive-doubling", "shared-ring"}) {
        const std::string error =
            usage_error({"--mode", "procs", "--reduction", reduction, "--update", "sharded"});
        INFO(error);
        CHECK(tests::holds(error, fmt::format("procs with {}", reduction)));
        CHECK(tests::holds(error, "--reduction halving-doubling"));
    }
    CHECK(tests::holds(usage_error({"--mode", "threads", "--update", "sharded"}), "threads with"));
    CHECK(tests::holds(usage_error({"--update", "halved"}), "sharded"));
    std::string kinds;
    for (const core::RunConfig& run : experiments::plan_configurations(
             request({"--mode", "serial,threads,procs", "--update", "sharded", "-n", "2"}))) {
        kinds += fmt::format("{} {} ", run.mode, core::name_of(run.update));
    }
    CHECK(kinds == "serial replicated threads replicated procs sharded ");
}
