// A rank's recorder: what it keeps, what it drops, what it costs.
#include "core/measure/trace.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/train/run_result.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/network_bench.hpp"

using namespace dp;
using core::StepRange;
using core::StepTrace;
using core::TraceEvent;
using core::TraceKind;

namespace {

core::ExitCode code_of(const std::optional<StepRange>& asked, std::size_t steps) {
    try {
        core::choose_trace_steps(asked, steps);
    } catch (const core::Error& error) {
        return error.code();
    }
    return core::ExitCode::kSuccess;
}

TraceEvent piece(std::size_t bucket, std::size_t ring_step, std::int64_t begin_ns) {
    return {.kind = TraceKind::kTransfer,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 5,
            .told_ns = begin_ns + 4,
            .bucket = bucket,
            .ring_step = ring_step,
            .bytes = 100};
}

}  // namespace

TEST_CASE("without a choice three steps after the warm-up are traced, or a short epoch's last") {
    CHECK(core::choose_trace_steps({}, 1000) == StepRange{11, 13});
    CHECK(core::choose_trace_steps({}, 13) == StepRange{11, 13});
    CHECK(core::choose_trace_steps({}, 12) == StepRange{10, 12});
    CHECK(core::choose_trace_steps({}, 3) == StepRange{1, 3});
    CHECK(core::choose_trace_steps({}, 1) == StepRange{1, 1});
}

TEST_CASE("steps asked for end with the epoch, and one of them at least must be in it") {
    CHECK(core::choose_trace_steps(StepRange{4, 9}, 6) == StepRange{4, 6});
    CHECK(core::choose_trace_steps(StepRange{6, 6}, 6) == StepRange{6, 6});
    CHECK(core::choose_trace_steps(StepRange{2, 3}, 6) == StepRange{2, 3});
    CHECK(code_of(StepRange{7, 9}, 6) == core::ExitCode::kUsage);
    CHECK(code_of({}, 0) == core::ExitCode::kUsage);
}

TEST_CASE("a recorder wants its steps of the first epoch alone") {
    const StepTrace trace({2, 3}, 1);
    CHECK_FALSE(trace.wants(0, 0));
    CHECK(trace.wants(0, 1));
    CHECK(trace.wants(0, 2));
    CHECK_FALSE(trace.wants(0, 3));
    CHECK_FALSE(trace.wants(1, 1));
}

TEST_CASE("a full recorder drops what comes and counts it, and allocates nothing") {
    StepTrace trace({1, 1}, 2);
    const std::size_t before = tests::allocation_count();
    trace.begin_step(0);
    trace.enter(core::Phase::kForward, StepTrace::Clock::now(), 0);
    for (const char* name : {"conv1", "fc1", "loss"}) {
        trace.on_layer_begin(name);
        trace.on_layer_end();
    }
    trace.enter(core::Phase::kOther, StepTrace::Clock::now(), 0);
    CHECK(tests::allocation_count() == before);
    const core::WorkerTrace taken = trace.take();
    CHECK(taken.names == std::vector<std::string>{"conv1", "fc1"});
    CHECK(taken.events.size() == 2);
    CHECK(taken.dropped == 2);  // the loss and the phase
}

TEST_CASE("a span whose name finds no room is dropped and counted") {
    StepTrace trace({1, 1}, 100);
    trace.begin_step(0);
    std::vector<std::string> names;
    for (int i = 0; i < 66; ++i) names.push_back("name " + std::to_string(i));
    for (const std::string& name : names) core::TraceSpan(&trace, name, {});
    core::TraceSpan(&trace, names.front(), {});
    const core::WorkerTrace taken = trace.take();
    CHECK(taken.names.size() == 64);
    CHECK(taken.events.size() == 65);
    CHECK(taken.dropped == 2);
}

TEST_CASE("a transfer in pieces is one event until anything else comes between") {
    StepTrace trace({1, 2}, 100);
    trace.begin_step(0);
    trace.record(piece(0, 0, 10), "reduce-scatter");
    trace.record(piece(0, 0, 20), "reduce-scatter");  // goes on
    trace.record(piece(0, 1, 30), "all-gather");      // the ring's next step
    core::record_wait(&trace, 1e-9, "chunk", 1);
    trace.record(piece(0, 1, 50), "all-gather");
    trace.record(piece(1, 1, 60), "all-gather");  // another bucket
    trace.begin_step(1);
    trace.record(piece(1, 1, 70), "all-gather");
    const core::WorkerTrace taken = trace.take();
    REQUIRE(taken.events.size() == 6);
    CHECK(taken.events[0].begin_ns == 10);
    CHECK(taken.events[0].end_ns == 25);
    CHECK(taken.events[0].told_ns == 14);  // others heard of the first piece
    CHECK(taken.events[0].bytes == 200);
    CHECK(taken.events[1].begin_ns == 30);
    CHECK(taken.events[2].kind == TraceKind::kWait);
    CHECK(taken.events[3].bytes == 100);
    CHECK(taken.events[5].step == 2);
}

TEST_CASE("waits that took no time, and spans of nobody, are not recorded") {
    StepTrace trace({1, 1}, 100);
    core::record_wait(&trace, 0.0, "chunk", 1);
    core::record_wait(nullptr, 1.0, "chunk", 1);
    { core::TraceSpan nobodys(nullptr, "sum", {}); }
    CHECK(trace.take().events.empty());
}

TEST_CASE("a trace read back from its worker's report is the one that was written") {
    core::WorkerTrace trace;
    trace.names = {"sum", "bn1"};
    trace.dropped = 3;
    trace.events = {{.kind = TraceKind::kTransfer,
                     .phase = core::Phase::kBackward,
                     .name = 1,
                     .step = 11,
                     .begin_ns = 1'234'567'890'123'456'789,
                     .end_ns = 1'234'567'890'123'456'790,
                     .told_ns = 5,
                     .bucket = 6,
                     .count = 7,
                     .peer = 8,
                     .ring_step = 9,
                     .group = 10,
                     .bytes = 12},
                    {}};  // where nothing applies
    core::RunResult result;
    result.workers.resize(1);
    result.workers[0].trace = trace;
    const std::string text = nlohmann::ordered_json(result).dump();
    const auto copy = nlohmann::ordered_json::parse(text).get<core::RunResult>();
    CHECK(copy.workers.at(0).trace == trace);
}

TEST_CASE("layers are told in the network's order, in backward reversed") {
    tests::Bench bench("simple_cnn", {4});
    StepTrace trace({1, 1}, 100);
    trace.begin_step(0);
    trace.enter(core::Phase::kForward, StepTrace::Clock::now(), 0);
    bench.network.forward(bench.batch(4), {}, &trace);
    trace.enter(core::Phase::kBackward, StepTrace::Clock::now(), 0);
    bench.network.backward(nullptr, &trace);
    trace.enter(core::Phase::kOther, StepTrace::Clock::now(), 0);
    const core::WorkerTrace taken = trace.take();
    std::vector<std::string> forward, backward;
    std::int64_t last_end = 0;
    for (const TraceEvent& event : taken.events) {
        if (event.kind != TraceKind::kLayer) continue;
        (event.phase == core::Phase::kForward ? forward : backward)
            .push_back(taken.names[event.name]);
        CHECK(event.begin_ns >= last_end);
        CHECK(event.end_ns > event.begin_ns);
        last_end = event.end_ns;
    }
    const std::vector<std::string> layers{"conv1", "pool", "conv2", "pool", "fc1", "fc2"};
    std::vector<std::string> expected = layers;
    expected.emplace_back("loss");
    CHECK(forward == expected);
    CHECK(backward == std::vector<std::string>(layers.rbegin(), layers.rend()));
}
