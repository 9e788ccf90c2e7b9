// A one-way channel between two neighbours of the ring: a queue of fixed slots in shared memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/wait.hpp"

namespace dp::multiproc {

// Slot and depth: the message ring of 4.6 MB on two cores took 178 us with 8 slots of 256 KiB, 197
// with 4 of them or 8 of 128 KiB, 440 with 8 of 64. Smaller slots cost a wake-up each when ranks
// share a core, more of them fall out of the cache.
inline constexpr std::size_t kSlotBytes = std::size_t{256} * 1024;
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
    /// Before either side uses it: as if `count` segments had gone through.
    void start_at(std::uint32_t count) {
        written_.publish(count);
        read_.publish(count);
    }

    // The writer's side: wait until has_room(), fill slot_to_write(), push() it.

    [[nodiscard]] bool has_room() const { return room_at(read_.load()); }
    /// Returns the seconds waited, as do all waits here.
    double wait_for_room(const core::WaitLimits& limits) {
        return read_.wait([this](std::uint32_t read) { return room_at(read); }, limits);
    }
    [[nodiscard]] std::span<std::byte, kSlotBytes> slot_to_write() {
        return slots_[written_.load() % kSlots];
    }
    void push() { written_.publish(written_.load() + 1); }
    /// Copies `segment` (at most kSlotBytes) into the next slot once it is free.
    double send(std::span<const std::byte> segment, const core::WaitLimits& limits);

    // The reader's side: wait until has_segment(), use slot_to_read(), pop() it.

    [[nodiscard]] bool has_segment() const { return segment_at(written_.load()); }
    double wait_for_segment(const core::WaitLimits& limits) {
        return written_.wait([this](std::uint32_t written) { return segment_at(written); }, limits);
    }
    [[nodiscard]] std::span<const std::byte, kSlotBytes> slot_to_read() const {
        return slots_[read_.load() % kSlots];
    }
    void pop() { read_.publish(read_.load() + 1); }
    /// Copies the next full slot's first bytes into `segment`.
    double receive(std::span<std::byte> segment, const core::WaitLimits& limits);

private:
    using Slot = std::array<std::byte, kSlotBytes>;

    [[nodiscard]] bool room_at(std::uint32_t read) const { return written_.load() - read < kSlots; }
    [[nodiscard]] bool segment_at(std::uint32_t written) const { return written != read_.load(); }

    core::SharedCounter written_;
    core::SharedCounter read_;
    alignas(core::kAlignmentBytes) std::array<Slot, kSlots> slots_;
};

static_assert(core::kAlignmentBytes % alignof(float) == 0 && kSlotBytes % sizeof(float) == 0);
// The counters wrap at 2^32; slot numbers stay continuous only if that is a multiple of the depth.
static_assert((std::uint64_t{1} << 32) % kSlots == 0);

}  // namespace dp::multiproc
