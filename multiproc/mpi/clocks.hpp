// The steady clocks of several machines: how each stands to rank 0's, and bringing what compares
// times of several ranks to that one.
//
// Rank 0 asks a rank for its time and notes when it asked and when the answer came: the rank read
// its clock at some moment between, so that taking the middle is wrong by half the round trip at
// most. Of many rounds the shortest says most (Cristian, "Probabilistic clock synchronization",
// 1989). One such reading before the first step and one after the last make a line, the clocks'
// offset and drift; clocks of computers run evenly enough for that over the time of a training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/train/run_result.hpp"

namespace dp::multiproc {

/// A rank's clock said own_ns when rank 0's said first_ns, give or take error_ns. In nanoseconds.
struct ClockReading {
    std::int64_t first_ns = 0;
    std::int64_t own_ns = 0;
    std::int64_t error_ns = 0;
};

/// The reading that a question makes which left rank 0 at `sent_ns` and whose answer, `own_ns`,
/// arrived there at `received_ns`.
constexpr ClockReading reading_of(std::int64_t sent_ns, std::int64_t own_ns,
                                  std::int64_t received_ns) {
    const std::int64_t half = (received_ns - sent_ns + 1) / 2;
    return {sent_ns + half, own_ns, half};
}

/// Times are kept where their error is at most this share of a mean step. A rank is named as a
/// straggler for a larger one.
inline constexpr double kMostClockError = 0.01;

/// Brings the arrivals and traces in `result`, which has all workers' reports, to rank 0's clock,
/// or drops them where the clocks are not known closely enough; the workers' reports and
/// times_left_out tell of it. `start` and `end` have a reading for each process, of `threads`
/// workers each; those of process 0 are not used.
void align_times(core::RunResult& result, std::span<const ClockReading> start,
                 std::span<const ClockReading> end, std::size_t threads);

}  // namespace dp::multiproc
