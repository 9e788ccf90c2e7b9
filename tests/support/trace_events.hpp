// Traces that no run has made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/measure/trace.hpp"

namespace dp::tests {

inline core::WorkerTrace rank_with(std::vector<core::TraceEvent> events) {
    return {{"name"}, std::move(events), 0};
}

inline core::TraceEvent hand_over(std::size_t bucket, std::size_t count, std::int64_t begin_ns) {
    return {.kind = core::TraceKind::kHandOver,
            .step = 1,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 1,
            .bucket = bucket,
            .count = count};
}

inline core::TraceEvent sum(std::size_t bucket, std::int64_t begin_ns) {
    return {.kind = core::TraceKind::kSum,
            .step = 1,
            .begin_ns = begin_ns,
            .end_ns = begin_ns + 5,
            .bucket = bucket};
}

}  // namespace dp::tests
