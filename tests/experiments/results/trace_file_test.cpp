// Traces of real runs, and the file that shows them.
#include "experiments/results/trace_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/exchange/message_reductions.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/trace_arrows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/modes.hpp"
#include "tests/support/program.hpp"

using namespace dp;
using core::Phase;
using core::TraceEvent;
using core::TraceKind;
using experiments::TraceArrow;
using tests::holds;
using tests::run_program;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t kSteps = 4;
constexpr std::size_t kTraced = 2;  // the second and the third

/// Every mode with ranks and every reduction that trains `workers`, in four steps of several
/// buckets.
std::vector<core::RunConfig> variants(std::size_t workers) {
    std::vector<core::RunConfig> all;
    for (const experiments::Mode& mode : tests::forked_modes()) {
        if (mode.one_replica || mode.has_teams) continue;  // two levels have the events of both
        for (const auto& choice : mode.reductions()) {
            core::RunConfig config = tests::small_config(std::string(mode.name), workers);
            config.reduction = choice.name;
            config.bucket_kib = 64;
            config.trace = core::StepRange{2, 3};
            all.push_back(config);
        }
    }
    return all;
}

core::Dataset data_for(std::size_t workers) {
    return core::make_synthetic(1, kSteps * 16 * workers, 10);
}

std::string describe(const core::RunConfig& config) {
    return config.mode + " " + config.reduction + (config.overlap ? "" : ", no overlap");
}

std::vector<TraceEvent> select(const core::WorkerTrace& trace, TraceKind kind, std::size_t step) {
    std::vector<TraceEvent> all;
    std::ranges::copy_if(trace.events, std::back_inserter(all), [&](const TraceEvent& event) {
        return event.kind == kind && event.step == step;
    });
    return all;
}

/// The phases of a step follow each other without a gap.
void check_phases(const core::WorkerTrace& trace, std::size_t turns, std::size_t step) {
    const auto phases = select(trace, TraceKind::kPhase, step);
    std::map<std::string, std::size_t> count;
    for (std::size_t i = 0; i < phases.size(); ++i) {
        CHECK(phases[i].end_ns >= phases[i].begin_ns);
        if (i > 0) CHECK(phases[i].begin_ns == phases[i - 1].end_ns);
        ++count[trace.names[phases[i].name]];
    }
    for (const char* name : {"load", "forward", "backward"}) CHECK(count[name] == turns);
    CHECK(count["update"] == 1);
    CHECK(count["exchange"] >= 2);
    CHECK(count.count("other") == 0);
}

std::vector<std::string> layers_of(const core::WorkerTrace& trace, std::size_t step, Phase phase) {
    std::vector<std::string> names;
    for (const TraceEvent& event : select(trace, TraceKind::kLayer, step)) {
        if (event.phase == phase) names.push_back(trace.names[event.name]);
    }
    return names;
}

std::vector<std::string> repeat(const std::vector<std::string>& names, std::size_t times) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), names.begin(), names.end());
    return all;
}

void check_layers(const core::WorkerTrace& trace, std::size_t turns, std::size_t step) {
    std::vector<std::string> names{"conv1", "bn1", "conv2", "bn2", "conv3", "bn3"};
    if (std::ranges::find(trace.names, "pool") != trace.names.end()) return;  // not fused here
    names.insert(names.end(), {"fc1", "dropout", "fc2"});
    const std::vector<std::string> reversed(names.rbegin(), names.rend());
    names.emplace_back("loss");
    CHECK(layers_of(trace, step, Phase::kForward) == repeat(names, turns));
    CHECK(layers_of(trace, step, Phase::kBackward) == repeat(reversed, turns));
}

bool sends_messages(const core::RunConfig& config) {
    return config.mode == "procs" &&
           std::ranges::any_of(core::message_reductions(), [&](const auto& row) {
               return row.traits.name == config.reduction;
           });
}

/// Each bucket is handed over once and exchanged once; what was moved is what was counted.
void check_exchange(const core::RunConfig& config, const core::RunResult& result,
                    const core::WorkerReport& worker) {
    const std::size_t buckets = result.exchange_buckets;
    REQUIRE(buckets > 2);
    std::size_t bytes = 0;
    for (const std::size_t step : {2UL, 3UL}) {
        std::vector<std::size_t> handed;
        for (const TraceEvent& event : select(worker.trace, TraceKind::kHandOver, step)) {
            for (std::size_t i = 0; i < event.count; ++i) handed.push_back(event.bucket + i);
        }
        std::vector<std::size_t> summed;
        for (const TraceEvent& event : select(worker.trace, TraceKind::kSum, step)) {
            summed.push_back(event.bucket);
            bytes += event.bytes;
        }
        std::set<std::tuple<std::size_t, std::size_t>> moved;  // bucket, ring step
        for (const TraceEvent& event : select(worker.trace, TraceKind::kTransfer, step)) {
            moved.emplace(event.bucket, event.ring_step);
            bytes += event.bytes;
        }
        std::vector<std::size_t> all(buckets);
        std::iota(all.begin(), all.end(), 0U);
        CHECK(handed == all);
        const std::size_t ring_steps = 2 * (config.workers - 1);
        if (config.reduction == "shared-ring") {
            CHECK(moved.size() == buckets * ring_steps);
        } else if (config.reduction == "message-ring") {
            CHECK(moved.size() == buckets * (ring_steps + 1));
        } else if (sends_messages(config)) {
            std::set<std::size_t> of_buckets;
            for (const auto& [bucket, ring_step] : moved) of_buckets.insert(bucket);
            CHECK(of_buckets == std::set(all.begin(), all.end()));
        } else if (config.reduction == "tree") {  // rank 0 adds the two others, which add nothing
            CHECK(moved.size() == (worker.rank == 0 ? buckets * (config.workers - 1) : 0));
        } else {
            const bool sums = config.reduction != "master" || worker.rank == 0;
            CHECK(summed == (sums ? all : std::vector<std::size_t>{}));
            CHECK(moved.empty());
        }
        const bool barrier = config.mode == "threads";
        CHECK(select(worker.trace, TraceKind::kBarrier, step).size() == (barrier ? 1 : 0));
    }
    CHECK(bytes * kSteps == worker.epochs.at(0).exchange.sent_bytes * kTraced);
}

/// In a row slices contain each other or are apart.
void check_nesting(const experiments::TraceContents& contents) {
    std::map<std::pair<std::size_t, experiments::TraceRow>, std::vector<double>> open;
    for (const experiments::TraceSlice& slice : contents.slices) {
        auto& ends = open[{slice.rank, slice.row}];
        constexpr double kNanosecond = 1e-9;
        while (!ends.empty() && ends.back() <= slice.begin_seconds + kNanosecond / 2) {
            ends.pop_back();
        }
        INFO(slice.name << " of rank " << slice.rank << " at " << slice.begin_seconds);
        if (!ends.empty()) CHECK(slice.end_seconds <= ends.back() + kNanosecond / 2);
        if (slice.row == experiments::TraceRow::kExchange) CHECK(ends.empty());
        ends.push_back(slice.end_seconds);
    }
}

void check_arrows(const core::RunConfig& config, const core::RunResult& result,
                  const std::vector<TraceArrow>& arrows) {
    const std::size_t world = config.workers;
    const bool ring = config.reduction == "shared-ring" || config.reduction == "message-ring";
    for (const TraceArrow& arrow : arrows) {
        CHECK(arrow.from != arrow.to);
        CHECK(arrow.from_ns <= arrow.to_ns);
        if (ring) CHECK(arrow.to == (arrow.from + 1) % world);
    }
    const std::size_t sums = kTraced * result.exchange_buckets;
    if (config.mode == "serial") {
        CHECK(arrows.empty());
    } else if (config.reduction == "message-ring") {
        CHECK(arrows.size() >= sums * world * 2 * (world - 1));  // large buckets go in groups
    } else if (config.reduction == "master") {
        CHECK(arrows.size() <= sums);  // none where rank 0 itself came last
    } else if (sends_messages(config)) {
        CHECK(arrows.size() >= sums);  // each bucket needs a message at least
    } else {
        CHECK(arrows.size() == (ring ? sums * world * 2 * (world - 1) : sums * (world - 1)));
    }
}

Json document_of(const fs::path& file) { return Json::parse(std::ifstream(file)); }

/// Rows by thread number, from the file's metadata.
std::map<int, std::string> rows_of(const Json& document) {
    std::map<int, std::string> rows;
    for (const Json& event : document.at("traceEvents")) {
        if (event.at("name") == "thread_name") rows[event.at("tid")] = event["args"]["name"];
    }
    return rows;
}

bool encloses(const Json& slice, const Json& flow) {
    const double begin = slice.at("ts");
    const double end = begin + slice.at("dur").get<double>();
    return slice.at("tid") == flow.at("tid") && begin <= flow.at("ts") && flow.at("ts") <= end;
}

/// Both ends of a flow lie in slices, which stand before them in the file.
void check_flows(const Json& document, std::size_t expected) {
    std::map<int, const Json*> last;  // slice, by row
    std::set<std::size_t> begun, ended;
    for (const Json& event : document.at("traceEvents")) {
        if (event.at("ph") == "X") last[event.at("tid")] = &event;
        if (event.at("ph") != "s" && event.at("ph") != "f") continue;
        REQUIRE(last.count(event.at("tid")) == 1);
        INFO(event.dump() << " in " << last[event.at("tid")]->dump());
        CHECK(encloses(*last[event.at("tid")], event));
        if (event.at("ph") == "f") CHECK(event.at("bp") == "e");
        auto& ids = event.at("ph") == "s" ? begun : ended;
        CHECK(ids.insert(event.at("id").get<std::size_t>()).second);
    }
    CHECK(begun.size() == expected);
    CHECK(begun == ended);
}

core::WorkerTrace rank_with(std::vector<TraceEvent> events) {
    return {{"name"}, std::move(events), 0};
}

TraceEvent hand_over(std::size_t bucket, std::size_t count, std::int64_t begin_ns) {
    return {.kind = TraceKind::kHandOver,
            .step = 1,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 1,
            .bucket = bucket,
            .count = count};
}

TraceEvent sum(std::size_t bucket, std::int64_t begin_ns) {
    return {.kind = TraceKind::kSum,
            .step = 1,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 5,
            .bucket = bucket};
}

TraceEvent transfer(std::size_t ring_step, std::size_t peer, std::int64_t begin_ns) {
    return {.kind = TraceKind::kTransfer,
            .step = 1,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 10,
            .told_ns = begin_ns + 3,
            .bucket = 0,
            .peer = peer,
            .ring_step = ring_step,
            .group = 0};
}

void check_arrow(const TraceArrow& arrow, std::size_t from, std::int64_t from_ns, std::size_t to,
                 std::int64_t to_ns) {
    CHECK(arrow.from == from);
    CHECK(arrow.from_ns == from_ns);
    CHECK(arrow.to == to);
    CHECK(arrow.to_ns == to_ns);
}

std::string failure_to_read(const fs::path& file) {
    try {
        experiments::read_trace(file);
    } catch (const core::Error& error) {
        CHECK(error.code() == core::ExitCode::kData);
        return error.what();
    }
    return "no failure";
}

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

std::vector<std::string> small_run(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--epochs", "1", "--steps", "3", "--batch-size", "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

}  // namespace

TEST_CASE("a traced run of every mode records all phases, layers and buckets of its steps") {
    const std::size_t workers = 3;
    const core::Dataset data = data_for(workers);
    for (const core::RunConfig& config : variants(workers)) {
        INFO(describe(config));
        const core::RunResult result = experiments::run_job(tests::make_job(config, data));
        const std::size_t turns = config.mode == "serial" ? workers : 1;
        REQUIRE(result.workers.size() == workers / turns);
        for (const core::WorkerReport& worker : result.workers) {
            INFO("rank " << worker.rank);
            CHECK(worker.trace.dropped == 0);
            for (const TraceEvent& event : worker.trace.events) {
                CHECK((event.step == 2 || event.step == 3));
            }
            for (const std::size_t step : {2UL, 3UL}) {
                check_phases(worker.trace, turns, step);
                check_layers(worker.trace, turns, step);
            }
            if (config.mode != "serial") check_exchange(config, result, worker);
        }
    }
}

TEST_CASE("the file of a run has its rows, its slices nest and its arrows pair up") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    const std::size_t workers = 3;
    const core::Dataset data = data_for(workers);
    for (const core::RunConfig& config : variants(workers)) {
        INFO(describe(config));
        core::RunResult result = experiments::run_job(tests::make_job(config, data));
        const auto traces = experiments::take_traces(result);
        CHECK(result.workers.front().trace == core::WorkerTrace{});
        const auto arrows = experiments::find_arrows(traces);
        check_arrows(config, result, arrows);

        const auto counts = experiments::write_trace(file, config, traces);
        CHECK(counts.dropped == 0);
        const Json document = document_of(file);
        check_flows(document, arrows.size());
        std::map<int, std::string> rows;
        if (config.mode == "serial") {
            rows[1] = "ranks 0-2 in turn compute";
        } else {
            rows = {{1, "rank 0 compute"},  {2, "rank 0 exchange"}, {3, "rank 1 compute"},
                    {4, "rank 1 exchange"}, {5, "rank 2 compute"},  {6, "rank 2 exchange"}};
        }
        CHECK(rows_of(document) == rows);
        CHECK(document.at("displayTimeUnit") == "ms");

        const experiments::TraceContents contents = experiments::read_trace(file);
        check_nesting(contents);
        CHECK(contents.run == config.mode + ", 3 workers");
        CHECK(contents.slices.front().begin_seconds == 0.0);
        std::size_t events = 2 * traces.size();  // a slice around each step
        for (const core::WorkerTrace& trace : traces) events += trace.events.size();
        CHECK(contents.slices.size() == events);
        const std::size_t instants =
            config.mode == "serial" ? 0 : kTraced * workers * result.exchange_buckets;
        CHECK(counts.events == events + instants);
    }
}

TEST_CASE("without overlap no exchange is shown as hidden") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    const core::Dataset data = data_for(2);
    for (core::RunConfig config : variants(2)) {
        config.overlap = false;
        INFO(describe(config));
        core::RunResult result = experiments::run_job(tests::make_job(config, data));
        experiments::write_trace(file, config, experiments::take_traces(result));
        std::set<std::string> categories;
        for (const auto& slice : experiments::read_trace(file).slices) {
            categories.insert(slice.category);
        }
        CHECK(categories.count("hidden") == 0);
        CHECK(categories.count("exposed") == (config.mode == "serial" ? 0 : 1));
    }
}

TEST_CASE("tracing changes no bit of the result") {
    const core::Dataset data = data_for(2);
    for (core::RunConfig config : variants(2)) {
        INFO(describe(config));
        const core::RunResult traced = experiments::run_job(tests::make_job(config, data));
        config.trace.reset();
        const core::RunResult plain = experiments::run_job(tests::make_job(config, data));
        CHECK(traced.checksum == plain.checksum);
        CHECK(traced.test_loss == plain.test_loss);
        CHECK(plain.workers.front().trace.events.empty());
    }
}

TEST_CASE("a sum's arrow comes from the hand-over that was last, and none from its own rank") {
    const std::vector<core::WorkerTrace> ranks{
        rank_with({hand_over(0, 1, 10), sum(0, 40)}),
        rank_with({hand_over(0, 2, 30), sum(0, 35), sum(1, 70)}),
        rank_with({hand_over(0, 1, 20), sum(0, 45)})};
    const auto arrows = experiments::find_arrows(ranks);
    REQUIRE(arrows.size() == 2);  // of bucket 1 two hand-overs are missing
    check_arrow(arrows[0], 1, 30, 0, 40);
    check_arrow(arrows[1], 1, 30, 2, 45);
}

TEST_CASE("a ring's arrows come from the left neighbour's step before, the first's hand-over") {
    const std::vector<core::WorkerTrace> ranks{
        rank_with({hand_over(0, 1, 1), transfer(0, 1, 20), transfer(1, 1, 40), transfer(1, 1, 60)}),
        rank_with({hand_over(0, 1, 5), transfer(0, 0, 10), transfer(1, 0, 50)})};
    const auto arrows = experiments::find_arrows(ranks);
    REQUIRE(arrows.size() == 4);  // none for the second part of a transfer
    check_arrow(arrows[0], 1, 5, 0, 20);
    check_arrow(arrows[1], 1, 13, 0, 40);
    check_arrow(arrows[2], 0, 1, 1, 10);
    check_arrow(arrows[3], 0, 23, 1, 50);
}

TEST_CASE("a barrier's last arrival is told where all have recorded theirs") {
    const auto barrier = [](std::size_t step, std::int64_t begin_ns) {
        return TraceEvent{.kind = TraceKind::kBarrier,
                          .step = step,
                          .begin_ns = begin_ns,
                          .end_ns = begin_ns + 1};
    };
    const std::vector<core::WorkerTrace> ranks{rank_with({barrier(1, 10), barrier(2, 30)}),
                                               rank_with({barrier(1, 12)})};
    CHECK(experiments::find_last_arrivals(ranks) == std::map<std::size_t, std::size_t>{{1, 1}});
}

TEST_CASE("a trace file holds microseconds from its first event and is read back in seconds") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    core::RunConfig config;
    config.mode = "threads";
    config.workers = 2;
    config.trace = core::StepRange{1, 1};
    std::vector<core::WorkerTrace> ranks{
        rank_with({hand_over(0, 1, 1'000'002'500), sum(0, 2'000'000'000)}),
        rank_with({hand_over(0, 1, 1'000'000'000)})};
    ranks[1].dropped = 7;
    CHECK(experiments::write_trace(file, config, ranks).dropped == 7);
    for (const Json& event : document_of(file).at("traceEvents")) {
        if (event.at("ph") == "X" && event.at("tid") == 2 && event.at("cat") == "hand-over") {
            CHECK(event.at("ts") == 2.5);
            CHECK(event.at("dur") == 0.001);
        }
    }
    const auto contents = experiments::read_trace(file);
    CHECK(document_of(file).at("otherData").at("dropped_events") == 7);
    REQUIRE(contents.slices.size() == 3);
    const experiments::TraceSlice& first = contents.slices[0];
    CHECK(first.rank == 1);
    CHECK(first.row == experiments::TraceRow::kExchange);
    CHECK(first.name == "hand over bucket 0");
    CHECK(first.category == "hand-over");
    CHECK(first.begin_seconds == 0.0);
    CHECK(first.end_seconds == 1e-9);
    CHECK(first.step == 1);
    CHECK(contents.slices[2].name == "name bucket 0");
    CHECK(contents.slices[2].category == "exposed");
    CHECK(contents.slices[2].begin_seconds == 1.0);
}

TEST_CASE("what is no trace is refused with the file and the reason") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    CHECK(holds(failure_to_read(file), file.string()));
    CHECK(holds(failure_to_read(file), "No such file"));

    const std::string events = R"({"traceEvents": [)";
    const std::string other =
        R"(], "otherData": {"schema": "dp_compare.trace/1", "run": "x", "dropped_events": 0}})";
    const std::string slice =
        R"({"name": "a", "cat": "b", "ph": "X", "pid": 1, "args": {"step": 1}, )";
    const std::vector<std::pair<std::string, std::string>> broken{
        {"[1, 2", "parse error"},
        {"{}", "otherData"},
        {R"({"traceEvents": [], "otherData": {"schema": "other/1"}})", "other/1"},
        {events + slice + R"("tid": 0, "ts": 1, "dur": 1})" + other, "thread 0"},
        {events + slice + R"("tid": 1000000000, "ts": 1, "dur": 1})" + other, "is no row"},
        {events + slice + R"("tid": 1, "ts": 1, "dur": -1})" + other, "dur is -1"},
        {events + slice + R"("tid": 1, "ts": "x", "dur": 1})" + other, "number"},
        {events + slice + R"("tid": 1, "ts": 1})" + other, "dur"}};
    for (const auto& [text, reason] : broken) {
        write_text(file, text);
        INFO(text << "\n" << failure_to_read(file));
        CHECK(holds(failure_to_read(file), file.string()));
        CHECK(holds(failure_to_read(file), reason));
    }
    write_text(file, events + slice + R"("tid": 1, "ts": 1, "dur": 1})" + other);
    CHECK(experiments::read_trace(file).slices.size() == 1);
}

TEST_CASE("the trace option writes over its file, tells what is in it, keeps out of the run's") {
    const tests::TemporaryFolder folder;
    const fs::path file = folder.path() / "trace.json";
    const fs::path out = folder.path() / "out";
    write_text(file, "old");
    const auto result =
        run_program(small_run({"--mode", "threads", "-n", "2", "--trace", file.string(), "--out",
                               out.string(), "--trace-steps", "2-9"}));
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "trace     " + file.string() + ": steps 2-3 of epoch 1, "));
    CHECK(holds(result.out, "open it in ui.perfetto.dev"));
    std::set<std::size_t> steps;
    for (const auto& slice : experiments::read_trace(file).slices) steps.insert(slice.step);
    CHECK(steps == std::set<std::size_t>{2, 3});
    const Json run = document_of(out / "run-threads-n2-r1.json");
    CHECK(run.at("config").at("trace_steps") == "2-3");
    for (const Json& worker : run.at("result").at("workers")) CHECK_FALSE(worker.contains("trace"));
}

TEST_CASE("trace options that make no sense are refused before anything runs") {
    const tests::TemporaryFolder folder;
    const std::string file = folder.path() / "trace.json";
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
        {{"--trace", file, "--mode", "threads,procs"},
         "choose one mode, one -n and one repetition"},
        {{"--trace", file, "--mode", "threads", "-n", "1,2"},
         "choose one mode, one -n and one repetition"},
        {{"--trace", "/dev/null/none/trace.json"}, "cannot be written"},
        {{"--trace", folder.path().string()}, "cannot be written"},
        {{"--trace-steps", "1-2"}, "without --trace"},
        {{"--trace", file, "--trace-steps", "0-2"}, "'0-2' is no range"},
        {{"--trace", file, "--trace-steps", "3-2"}, "'3-2' is no range"},
        {{"--trace", file, "--trace-steps", "2-"}, "'2-' is no range"},
        {{"--trace", file, "--trace-steps", "x"}, "'x' is no range"},
        {{"--trace", file, "--trace-steps", "4"}, "the epoch has 3 steps"},
        {{"--trace", file, "--steps", "0"}, "no training step"},
        {{"--trace", file, "--epochs", "0"}, "no training step"}};
    for (const auto& [options, message] : wrong) {
        const auto result = run_program(small_run(options));
        INFO(message << "\n" << result.out << result.err);
        CHECK(result.exit_code == 2);
        CHECK(holds(result.err, message));
        CHECK_FALSE(fs::exists(file));
    }
}
