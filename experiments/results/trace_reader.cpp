// The other half of trace_file.hpp: reading a trace back.
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/results/trace_file.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ExitCode;
using Json = nlohmann::ordered_json;

/// Why a file is no trace of ours; becomes an Error that names the file.
struct Malformed {
    std::string reason;
};

double seconds_of(const Json& event, const char* field) {
    return event.at(field).get<double>() / 1e6;
}

/// The inverse of the writer's thread numbers.
std::pair<std::size_t, TraceRow> row_of(const Json& event) {
    const auto thread = event.at("tid").get<std::int64_t>();
    if (thread < 1) throw Malformed{fmt::format("thread {} is no row", thread)};
    return {static_cast<std::size_t>(thread - 1) / 2,
            thread % 2 == 1 ? TraceRow::kCompute : TraceRow::kExchange};
}

TraceSlice slice_of(const Json& event) {
    const auto [rank, row] = row_of(event);
    const double begin = seconds_of(event, "ts");
    return {rank,
            row,
            event.at("name").get<std::string>(),
            event.at("cat").get<std::string>(),
            begin,
            begin + seconds_of(event, "dur"),
            event.at("args").at("step").get<std::size_t>()};
}

class Flows {
public:
    void begin(const Json& event) {
        TraceFlow flow;
        flow.from_rank = row_of(event).first;
        flow.from_seconds = seconds_of(event, "ts");
        flow.name = event.at("name").get<std::string>();
        if (!open_.try_emplace(event.at("id").get<std::size_t>(), flow).second) {
            throw Malformed{fmt::format("flow {} begins twice", event.at("id").dump())};
        }
    }

    TraceFlow end(const Json& event) {
        auto open = open_.extract(event.at("id").get<std::size_t>());
        if (open.empty()) {
            throw Malformed{fmt::format("flow {} ends without a beginning", event.at("id").dump())};
        }
        open.mapped().to_rank = row_of(event).first;
        open.mapped().to_seconds = seconds_of(event, "ts");
        return open.mapped();
    }

    void finish() const {
        if (open_.empty()) return;
        throw Malformed{fmt::format("flow {} has no end", open_.begin()->first)};
    }

private:
    std::map<std::size_t, TraceFlow> open_;  // begun and not ended yet, by id
};

TraceContents contents_of(const Json& document) {
    const Json& other = document.at("otherData");
    const auto schema = other.at("schema").get<std::string>();
    if (schema != kTraceSchema) throw Malformed{fmt::format("its schema is {}", schema)};
    TraceContents contents;
    contents.run = other.at("run").get<std::string>();
    contents.dropped = other.at("dropped_events").get<std::uint64_t>();
    Flows flows;
    for (const Json& event : document.at("traceEvents")) {
        const auto type = event.at("ph").get<std::string>();
        if (type == "X") contents.slices.push_back(slice_of(event));
        if (type == "s") flows.begin(event);
        if (type == "f") contents.flows.push_back(flows.end(event));
    }
    flows.finish();
    return contents;
}

}  // namespace

TraceContents read_trace(const fs::path& file) {
    std::string reason;
    try {
        return contents_of(read_json(file));
    } catch (const Malformed& malformed) {
        reason = malformed.reason;
    } catch (const Json::exception& error) {
        reason = error.what();
    }
    throw Error(ExitCode::kData, "{} is no trace of dp_compare ({}): write one with --trace",
                file.string(), reason);
}

}  // namespace dp::experiments
