// A one-way channel between two neighbours of the ring: a queue of fixed slots in shared memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/wait.hpp"

namespace dp::multiproc {

// Slot and depth: on two cores the all-reduce of 4.6 MB is fastest with 0.5 to 1 MiB in flight;
// smaller slots cost a wake-up each when ranks share a core, more of them fall out of the cache.
inline constexpr std::size_t kSlotBytes = std::size_t{128} * 1024;
inline constexpr std::uint32_t kSlots = 8;

/// Bytes go in at the left rank and come out at the right one, in order; a transfer of any length
/// is cut into slots.
///
/// Thread safety: one writer, one reader, in different processes or threads.
/// Invariants:
///  1. written_ is the number of slots filled so far, published by the writer alone; read_ the
///  number emptied,
///     published by the reader alone. 0 <= written_ - read_ <= kSlots, modulo 2^32.
///  2. Slot k is written while it is free (written_ - read_ < kSlots) and read while it is full
///     (written_ != read_), so that the two sides never touch the same slot at once.
///  3. Both sides cut a transfer of n bytes into the same segments.
class RingChannel {
public:
    /// The writer's side of one transfer: segment by segment, so that a rank can send and receive
    /// in turn. Copies `segment` (at most kSlotBytes) into the next free slot. Returns the seconds
    /// waited for it.
    double send(std::span<const std::byte> segment, const core::WaitLimits& limits);

    /// The reader's side: calls `use`(slot bytes) on the next full slot's first `size` bytes, then
    /// frees it.
    template <typename Use>
    double receive(std::size_t size, const core::WaitLimits& limits, const Use& use) {
        const std::uint32_t at = read_.load();
        const double waited =
            written_.wait([at](std::uint32_t written) { return written != at; }, limits);
        use(std::span<const std::byte>(slots_[at % kSlots]).first(size));
        read_.publish(at + 1);
        return waited;
    }

private:
    using Slot = std::array<std::byte, kSlotBytes>;

    core::SharedCounter written_;
    core::SharedCounter read_;
    alignas(core::kAlignmentBytes) std::array<Slot, kSlots> slots_;
};

static_assert(core::kAlignmentBytes % alignof(float) == 0 && kSlotBytes % sizeof(float) == 0);
// The counters wrap at 2^32; slot numbers stay continuous only if that is a multiple of the depth.
static_assert((std::uint64_t{1} << 32) % kSlots == 0);

}  // namespace dp::multiproc
