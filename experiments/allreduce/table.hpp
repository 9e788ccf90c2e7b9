// The collective benchmark's rows: what is measured, how it is summarised and printed, and the
// gradients that make every sum checkable. Shared by `dp_compare allreduce` and the MPI program
// beside it, so that both print the same table of the same measurement.
//
// One row is one size. A round of it, on each of N ranks:
//
//   rewrite   the whole gradient block, as a backward pass would      not timed
//   meet      until all ranks are here                                not timed
//   arrival   a stamp of the machine's one monotonic clock
//   all-reduce
//   end       a stamp
//   meet      until all ranks are through: no check takes a core      not timed
//             that one of them needs
//   check     every float that this rank holds of the sum             not timed
//   meet      until all ranks have checked                            not timed
//
// and its time is max(end) - max(arrival) over the ranks: from the last arrival to the last finish.
// The first rounds warm up and are dropped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/statistics/summary.hpp"

namespace dp::experiments::allreduce {

/// 4 KiB to 64 MiB by factor 4, and cifar_cnn's gradients.
inline constexpr std::array<std::size_t, 9> kDefaultBytes{
    4096, 16'384, 65'536, 262'144, 1'048'576, 4'194'304, 4'591'656, 16'777'216, 67'108'864};

/// How many rounds a row has.
struct RoundLimits {
    static constexpr std::size_t kWarmUp = 3;
    static constexpr std::size_t kFewest = 5;   // even when they take longer than kSeconds
    static constexpr std::size_t kMost = 2000;  // more no longer move the median
    static constexpr double kSeconds =
        0.35;  // of a whole row: a default table ends in half a minute

    std::optional<std::size_t> exactly;  // timed rounds, as --repetitions says

    /// Room needed for the stamps of a row, warm-up included.
    [[nodiscard]] std::size_t capacity() const { return kWarmUp + exactly.value_or(kMost); }
    /// True when a row whose first round began `seconds` ago needs none after the first `rounds`.
    [[nodiscard]] bool enough(std::size_t rounds, double seconds) const;
};

/// An integer in [0, 1024) that differs between ranks, rounds and places: the sum of up to 2^14 of
/// them is exact in float32, whatever the order, and shows any addend that is wrong, lost, doubled
/// or left over from the round before.
constexpr float addend(std::size_t rank, std::size_t round, std::size_t place) {
    // 32 bits and a power of two, so that compilers can vectorise it.
    const auto r = static_cast<std::uint32_t>(rank);
    const auto mixed = static_cast<std::uint32_t>(place) * (2 * r + 31) + 17 * r +
                       7 * static_cast<std::uint32_t>(round);
    return static_cast<float>(static_cast<std::int32_t>(mixed & 1023));
}

/// Rewrites rank `rank`'s gradients for `round`.
void fill_addends(std::size_t rank, std::size_t round, std::span<float> gradients);
/// How many of `sums`, which start at place `first`, are not the sum over `world_size` ranks.
std::size_t count_wrong(std::size_t world_size, std::size_t round, std::size_t first,
                        std::span<const float> sums);

/// Nanoseconds of CLOCK_MONOTONIC, one clock for all processes of the machine.
std::int64_t now_ns();

struct Row {
    std::size_t bytes = 0;
    std::string mode;
    std::size_t workers = 0;             // ranks
    std::size_t threads_per_worker = 1;  // of them in a process, where that has more than one
    std::string reduction;
    std::size_t repetitions = 0;
    statistics::Summary time_us;  // of the rounds
    std::size_t wrong = 0;        // floats, over all ranks and rounds
    bool oversubscribed = false;

    [[nodiscard]] std::size_t count() const { return bytes / sizeof(float); }
    /// Bytes of one rank's gradients per second of the median, in GB/s (1e9).
    [[nodiscard]] double algbw() const;
    /// algbw * 2 (N-1) / N: what each rank must send and receive at least, as nccl-tests defines it
    /// (its doc/PERFORMANCE.md), so that a figure can be held against the hardware's for any N.
    [[nodiscard]] double busbw() const;
};

/// "# bytes  count  mode ...", aligned with format_row().
std::string format_header();
/// A row that is wrong shows neither times nor rates.
std::string format_row(const Row& row);

}  // namespace dp::experiments::allreduce
