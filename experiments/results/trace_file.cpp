#include "experiments/results/trace_file.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/modes.hpp"
#include "experiments/options/settings.hpp"
#include "experiments/results/trace_arrows.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::kNone;
using core::TraceEvent;
using core::TraceKind;
using Json = nlohmann::ordered_json;

constexpr int kProcess = 1;  // a file holds one run

// Viewers keep 0 for the idle thread.
std::size_t thread_of(std::size_t rank, TraceRow row) {
    return 2 * rank + (row == TraceRow::kCompute ? 1 : 2);
}

bool is_computation(TraceKind kind) {
    return kind == TraceKind::kPhase || kind == TraceKind::kLayer;
}

std::string title_of(const TraceEvent& event, const std::string& name) {
    switch (event.kind) {
        case TraceKind::kHandOver:
            return event.count == 1 ? fmt::format("hand over bucket {}", event.bucket)
                                    : fmt::format("hand over buckets {}-{}", event.bucket,
                                                  event.bucket + event.count - 1);
        case TraceKind::kSum:
        case TraceKind::kTransfer:
            return fmt::format("{} bucket {}", name, event.bucket);
        case TraceKind::kWait:
            return fmt::format("wait for rank {}", event.peer);
        default:
            return name;
    }
}

std::string_view category_of(const TraceEvent& event) {
    switch (event.kind) {
        case TraceKind::kPhase:
            return "phase";
        case TraceKind::kLayer:
            return core::name_of(event.phase);
        case TraceKind::kHandOver:
            return "hand-over";
        case TraceKind::kSum:
        case TraceKind::kTransfer:
            return event.phase == core::Phase::kBackward ? "hidden" : "exposed";
        default:
            return "wait";
    }
}

/// One event of the file and its place in it.
struct Line {
    std::int64_t begin_ns = 0;
    int order = 0;  // at one time: slices, instants, flows, which belong to the slice before them
    std::int64_t length_ns = 0;  // of slices that begin at once the longer holds the shorter
    Json json;
};

class Writer {
public:
    Writer(const core::RunConfig& config, std::span<const core::WorkerTrace> ranks)
        : config_(config), ranks_(ranks), last_arrivals_(find_last_arrivals(ranks)) {
        for (const core::WorkerTrace& rank : ranks) {
            dropped_ += rank.dropped;
            for (const TraceEvent& event : rank.events) {
                start_ns_ = std::min(start_ns_, event.begin_ns);
            }
        }
    }

    std::string text() {
        add_rows();
        for (std::size_t rank = 0; rank < ranks_.size(); ++rank) add_rank(rank);
        std::size_t id = 0;
        for (const TraceArrow& arrow : find_arrows(ranks_)) add_arrow(arrow, ++id);
        std::ranges::stable_sort(lines_, {}, [](const Line& line) {
            return std::tuple(line.begin_ns, line.order, -line.length_ns);
        });
        std::string text = "{\"traceEvents\": [";
        for (const Line& line : lines_) {
            text += (&line == &lines_.front() ? "\n" : ",\n") + line.json.dump();
        }
        return text + "\n],\n\"displayTimeUnit\": \"ms\",\n\"otherData\": " + other_data().dump() +
               "}\n";
    }

    [[nodiscard]] TraceCounts counts() const { return {events_, dropped_}; }

private:
    [[nodiscard]] std::string run_name() const {
        return fmt::format("{}, {} worker{}", config_.mode, config_.workers,
                           config_.workers == 1 ? "" : "s");
    }

    /// One worker may play several ranks in turn; it has one row then.
    [[nodiscard]] std::size_t ranks_each() const { return ranks_of(config_) / ranks_.size(); }
    [[nodiscard]] bool plays_in_turn() const { return ranks_each() > 1; }

    [[nodiscard]] Json other_data() const {
        const core::StepRange steps = config_.trace.value_or(core::StepRange{});
        Json data{{"schema", kTraceSchema}, {"run", run_name()}};
        for (const std::string_view name : kTraceSettings) {
            data[name] = find_setting(name)->write({config_, {}, {}, {}});
        }
        data.update({{"epoch", 1},
                     {"first_step", steps.first},
                     {"last_step", steps.last},
                     {"dropped_events", dropped_}});
        return data;
    }

    void add_metadata(std::string_view name, std::size_t thread, Json arguments) {
        lines_.push_back({start_ns_,
                          -1,
                          0,
                          {{"name", name},
                           {"ph", "M"},
                           {"pid", kProcess},
                           {"tid", thread},
                           {"args", std::move(arguments)}}});
    }

    void add_row(std::size_t rank, TraceRow row) {
        const std::size_t thread = thread_of(rank, row);
        const std::string who = plays_in_turn()
                                    ? fmt::format("ranks {}-{} in turn", rank * ranks_each(),
                                                  (rank + 1) * ranks_each() - 1)
                                    : fmt::format("rank {}", rank);
        const char* what = row == TraceRow::kCompute ? "compute" : "exchange";
        add_metadata("thread_name", thread, {{"name", who + " " + what}});
        add_metadata("thread_sort_index", thread, {{"sort_index", thread}});
    }

    void add_rows() {
        add_metadata("process_name", 0, {{"name", run_name()}});
        for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
            add_row(rank, TraceRow::kCompute);
            if (mode_of(config_.mode).exchanges) add_row(rank, TraceRow::kExchange);
        }
    }

    /// What every event has. Times in the file are microseconds.
    [[nodiscard]] Json base(std::string_view name, std::string_view category, const char* type,
                            std::int64_t begin_ns, std::size_t thread) const {
        return {{"name", name},    {"cat", category},
                {"ph", type},      {"ts", static_cast<double>(begin_ns - start_ns_) / 1e3},
                {"pid", kProcess}, {"tid", thread}};
    }

    void add_slice(std::string_view name, std::string_view category, std::int64_t begin_ns,
                   std::int64_t end_ns, std::size_t thread, Json arguments) {
        Json json = base(name, category, "X", begin_ns, thread);
        json["dur"] = static_cast<double>(end_ns - begin_ns) / 1e3;
        json["args"] = std::move(arguments);
        lines_.push_back({begin_ns, 0, end_ns - begin_ns, std::move(json)});
        ++events_;
    }

    [[nodiscard]] Json arguments_of(const TraceEvent& event, const std::string& name) const {
        Json arguments{{"step", event.step}};
        const auto add = [&](const char* key, std::size_t value) {
            if (value != kNone) arguments[key] = value;
        };
        if (event.kind == TraceKind::kPhase) {
            if (plays_in_turn() && event.phase <= core::Phase::kBackward) add("rank", event.peer);
            return arguments;
        }
        add("bucket", event.bucket);
        add("ring_step", event.ring_step);
        add("group", event.group);
        add("bytes", event.bytes);
        if (event.kind == TraceKind::kWait) arguments["for"] = name;
        if (event.kind == TraceKind::kTransfer) add("from_rank", event.peer);
        const auto last = last_arrivals_.find(event.step);
        if (event.kind == TraceKind::kBarrier && last != last_arrivals_.end()) {
            add("last_rank", last->second);
        }
        return arguments;
    }

    void add_rank(std::size_t rank) {
        const std::size_t compute = thread_of(rank, TraceRow::kCompute);
        const std::size_t exchange = thread_of(rank, TraceRow::kExchange);
        std::map<std::size_t, std::pair<std::int64_t, std::int64_t>> steps;
        for (const TraceEvent& event : ranks_[rank].events) {
            const std::string& name = ranks_[rank].names.at(event.name);
            add_slice(title_of(event, name), category_of(event), event.begin_ns, event.end_ns,
                      is_computation(event.kind) ? compute : exchange, arguments_of(event, name));
            if (event.kind == TraceKind::kHandOver) add_instants(event, compute);
            if (event.kind != TraceKind::kPhase) continue;
            const auto [step, first] = steps.try_emplace(event.step, event.begin_ns, event.end_ns);
            step->second.second = event.end_ns;
        }
        for (const auto& [step, time] : steps) {
            add_slice(fmt::format("step {}", step), "step", time.first, time.second, compute,
                      {{"step", step}});
        }
    }

    void add_instants(const TraceEvent& hand_over, std::size_t thread) {
        for (std::size_t i = 0; i < hand_over.count; ++i) {
            const std::size_t bucket = hand_over.bucket + i;
            Json json = base(fmt::format("bucket {} complete", bucket), "hand-over", "i",
                             hand_over.begin_ns, thread);
            json["s"] = "t";
            json["args"] = {{"step", hand_over.step}, {"bucket", bucket}};
            lines_.push_back({hand_over.begin_ns, 1, 0, std::move(json)});
            ++events_;
        }
    }

    void add_arrow(const TraceArrow& arrow, std::size_t id) {
        Json start = base(arrow.name, "flow", "s", arrow.from_ns,
                          thread_of(arrow.from, TraceRow::kExchange));
        Json end =
            base(arrow.name, "flow", "f", arrow.to_ns, thread_of(arrow.to, TraceRow::kExchange));
        for (Json* json : {&start, &end}) {
            (*json)["id"] = id;
            (*json)["args"] = {{"step", arrow.step}, {"bucket", arrow.bucket}};
        }
        end["bp"] = "e";  // the slice that encloses it, not the next one
        lines_.push_back({arrow.from_ns, 2, 0, std::move(start)});
        lines_.push_back({arrow.to_ns, 3, 0, std::move(end)});
    }

    const core::RunConfig& config_;
    std::span<const core::WorkerTrace> ranks_;
    std::map<std::size_t, std::size_t> last_arrivals_;
    std::int64_t start_ns_ = std::numeric_limits<std::int64_t>::max();
    std::vector<Line> lines_;
    std::size_t events_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace

std::vector<core::WorkerTrace> take_traces(core::RunResult& result) {
    std::vector<core::WorkerTrace> traces;
    for (core::WorkerReport& worker : result.workers) {
        traces.push_back(std::exchange(worker.trace, {}));
    }
    return traces;
}

void keep_steps(core::WorkerTrace& trace, const core::StepRange& steps) {
    std::erase_if(trace.events, [&](const TraceEvent& event) {
        return event.step < steps.first || event.step > steps.last;
    });
}

TraceCounts write_trace(const fs::path& file, const core::RunConfig& config,
                        std::span<const core::WorkerTrace> ranks) {
    Writer writer(config, ranks);
    write_text(file, writer.text());
    return writer.counts();
}

}  // namespace dp::experiments
