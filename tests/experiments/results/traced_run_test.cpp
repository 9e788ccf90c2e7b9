// Traces of real runs: the events of every mode, and the file that shows them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>

#include <nlohmann/json.hpp>

#include "core/exchange/message_reductions.hpp"
#include "experiments/modes.hpp"
#include "experiments/results/trace_arrows.hpp"
#include "experiments/results/trace_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "tests/support/jobs.hpp"
#include "tests/support/modes.hpp"

using namespace dp;
using core::Phase;
using core::TraceEvent;
using core::TraceKind;
using experiments::TraceArrow;

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
