// A run's trace as a file in the Trace Event Format, which Perfetto (ui.perfetto.dev) and
// chrome://tracing open: one process, two rows per rank (what it computed, what it exchanged),
// arrows between them. Source: "Trace Event Format", the format's description by the Chromium
// project; Perfetto's json_trace_parser for how flows find their slices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/measure/trace.hpp"
#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"

namespace dp::experiments {

inline constexpr std::string_view kTraceSchema = "dp_compare.trace/1";
/// What `otherData` says of the run.
inline constexpr std::array<std::string_view, 7> kTraceSettings{
    "mode", "workers", "model", "batch_size", "reduction", "overlap", "bucket_kib"};

/// Moves the traces out of `result`, in the order of its workers.
std::vector<core::WorkerTrace> take_traces(core::RunResult& result);

/// Leaves out the events of all other steps.
void keep_steps(core::WorkerTrace& trace, const core::StepRange& steps);

/// What write_trace() wrote.
struct TraceCounts {
    std::size_t events = 0;     // slices and instants
    std::uint64_t dropped = 0;  // for which the workers had no room
};

/// Writes the traces of the run of `config`, by rank, whole or not at all, over a file that is
/// there. Throws Error(kData).
TraceCounts write_trace(const std::filesystem::path& file, const core::RunConfig& config,
                        std::span<const core::WorkerTrace> ranks);

enum class TraceRow { kCompute, kExchange };

/// Times count from the file's first event.
struct TraceSlice {
    std::size_t rank = 0;
    TraceRow row = TraceRow::kCompute;
    std::string name;  // "conv1", "sum bucket 2", "wait for rank 1"
    /// On the compute row step, phase, forward, backward (layers); on the exchange row hand-over,
    /// hidden (done while backward was under way), exposed, wait.
    std::string category;
    double begin_seconds = 0.0;
    double end_seconds = 0.0;
    std::size_t step = 0;  // from 1
};

struct TraceContents {
    std::string run;  // "threads, 2 workers"
    std::size_t workers = 1;
    std::vector<TraceSlice> slices;  // by begin; of two that begin at once the longer one first
};

/// Reads what write_trace() wrote. Throws Error(kData) with the file and the reason when it cannot
/// be read or is something else.
TraceContents read_trace(const std::filesystem::path& file);

}  // namespace dp::experiments
