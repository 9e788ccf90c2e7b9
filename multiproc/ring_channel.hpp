// A one-way channel between two ranks: a ring of slots in shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/wait.hpp"

namespace dp::multiproc {

/// Slot and depth: the message ring of 4.6 MB on two cores took 178 us with 8 slots of 256 KiB, 197
/// with 4 of them or 8 of 128 KiB, 440 with 8 of 64. Smaller slots cost a wake-up each when ranks
/// share a core, more of them fall out of the cache.
struct ChannelShape {
    std::size_t slot_bytes = std::size_t{256} * 1024;  // a multiple of a cache line
    std::uint32_t slots = 8;                           // a power of two, at least 2
};

/// Segments go in at the one rank and come out at the other, in order. The slots lie behind the
/// object, in bytes_of(shape) bytes that begin with it.
///
/// Thread safety: one writer, one reader, in different processes or threads.
/// Invariants:
///  1. written_ is the number of slots filled so far, published by the writer alone; read_ the
///     number emptied, published by the reader alone. 0 <= written_ - read_ <= slots, modulo 2^32.
///  2. Slot k is written while it is free (written_ - read_ < slots) and read while it is full
///     (written_ != read_), so that the two sides never touch the same slot at once.
class RingChannel {
public:
    static std::size_t bytes_of(const ChannelShape& shape) {
        return sizeof(RingChannel) + shape.slots * shape.slot_bytes;
    }
    /// As if `count` segments had gone through. The slots stay untouched, so that their pages are
    /// the first writer's.
    RingChannel(const ChannelShape& shape, std::uint32_t count);

    // The writer's side: wait until has_room(), fill slot_to_write(), push() it.

    [[nodiscard]] bool has_room() const { return room_at(read_.load()); }
    /// Returns the seconds waited, as do all waits here.
    double wait_for_room(const core::WaitLimits& limits) {
        return read_.wait([this](std::uint32_t read) { return room_at(read); }, limits);
    }
    [[nodiscard]] std::span<std::byte> slot_to_write() { return slot(written_.load()); }
    void push() { written_.publish(written_.load() + 1); }

    // The reader's side: wait until has_segment(), use slot_to_read(), pop() it.

    [[nodiscard]] bool has_segment() const { return segment_at(written_.load()); }
    double wait_for_segment(const core::WaitLimits& limits) {
        return written_.wait([this](std::uint32_t written) { return segment_at(written); }, limits);
    }
    [[nodiscard]] std::span<const std::byte> slot_to_read() { return slot(read_.load()); }
    void pop() { read_.publish(read_.load() + 1); }

private:
    [[nodiscard]] bool room_at(std::uint32_t read) const {
        return written_.load() - read < shape_.slots;
    }
    [[nodiscard]] bool segment_at(std::uint32_t written) const { return written != read_.load(); }
    [[nodiscard]] std::span<std::byte> slot(std::uint32_t count) {
        auto* const slots = reinterpret_cast<std::byte*>(this + 1);
        return {slots + count % shape_.slots * shape_.slot_bytes, shape_.slot_bytes};
    }

    core::SharedCounter written_;
    core::SharedCounter read_;
    alignas(core::kAlignmentBytes) const ChannelShape shape_;
};

static_assert(sizeof(RingChannel) % core::kAlignmentBytes == 0);

}  // namespace dp::multiproc
