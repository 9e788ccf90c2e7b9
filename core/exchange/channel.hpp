// Point to point between two ranks: what every message-passing algorithm is written against. It
// knows neither processes nor machines; those who make the channels do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/base/wait.hpp"

namespace dp::core {

/// One rank's end of its conversation with one other rank, its peer. What is pushed here is popped
/// there, whole and in order. Segments pushed and not yet popped wait in the channel, at least
/// Channels::depth() of them; beyond that the sender waits for room.
///
/// The sender fills slot() while has_room() and pushes it; the receiver uses segment() while
/// has_segment() and pops it. Every call but slot() and segment() may move other messages of this
/// rank on, as a library that has no thread of its own needs it; none but the waits blocks. Waits
/// return the seconds that they took, 0 when there was nothing to wait for. They throw PeerFailed,
/// or Error(kStalled) at the deadline.
///
/// Thread safety: an end belongs to its rank's thread.
class Channel {
public:
    virtual ~Channel() = default;

    [[nodiscard]] virtual bool has_room() = 0;
    virtual double wait_for_room(const WaitLimits& limits) = 0;
    /// Where the next segment to send is written: Channels::segment_bytes() from a cache line on.
    /// On input: has_room().
    [[nodiscard]] virtual std::span<std::byte> slot() = 0;
    /// Sends the first `bytes` of the slot; it may be 0.
    virtual void push(std::size_t bytes) = 0;

    [[nodiscard]] virtual bool has_segment() = 0;
    virtual double wait_for_segment(const WaitLimits& limits) = 0;
    /// The oldest segment, as long as it was pushed or longer, from a cache line on. Stays until
    /// pop(). On input: has_segment().
    [[nodiscard]] virtual std::span<const std::byte> segment() = 0;
    virtual void pop() = 0;
};

/// All channels of one rank.
class Channels {
public:
    virtual ~Channels() = default;
    [[nodiscard]] virtual std::size_t rank() const = 0;
    [[nodiscard]] virtual std::size_t world_size() const = 0;
    /// The most bytes of a segment: a multiple of a cache line, the same on all ranks.
    [[nodiscard]] virtual std::size_t segment_bytes() const = 0;
    /// Segments that a channel holds, at least 2.
    [[nodiscard]] virtual std::size_t depth() const = 0;
    /// This rank's end towards `peer`, a rank that it sends to or receives from.
    [[nodiscard]] virtual Channel& with(std::size_t peer) = 0;
    /// Waits until all that was pushed arrives without this rank's help, and returns the seconds
    /// that took: before the rank computes for long, so that no peer waits for its next call.
    virtual double flush(const WaitLimits& /*limits*/) { return 0.0; }
};

/// The ranks that rank `rank` sends to; besides those, every rank sends to its right neighbour.
using Receivers = std::vector<std::size_t> (*)(std::size_t rank, std::size_t world_size);

/// All that rank `rank` sends to, each once, ascending; `receivers` may be null.
inline std::vector<std::size_t> all_receivers(Receivers receivers, std::size_t rank,
                                              std::size_t world_size) {
    std::vector<std::size_t> all;
    if (receivers != nullptr) all = receivers(rank, world_size);
    if (world_size > 1) all.push_back((rank + 1) % world_size);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

}  // namespace dp::core
