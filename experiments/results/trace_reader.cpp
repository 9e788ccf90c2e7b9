// The other half of trace_file.hpp: reading a trace back.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "experiments/modes.hpp"
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
    if (thread < 1 || thread > std::int64_t{2 * kMaxWorkers})
        throw Malformed{fmt::format("thread {} is no row", thread)};
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

TraceContents contents_of(const Json& document) {
    const Json& other = document.at("otherData");
    const auto schema = other.at("schema").get<std::string>();
    if (schema != kTraceSchema) throw Malformed{fmt::format("its schema is {}", schema)};
    TraceContents contents;
    contents.run = other.at("run").get<std::string>();
    contents.workers = other.at("workers").get<std::size_t>();
    for (const Json& event : document.at("traceEvents")) {
        if (event.at("ph") == "X") contents.slices.push_back(slice_of(event));
    }
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
