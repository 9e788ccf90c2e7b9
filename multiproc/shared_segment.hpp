// The one piece of memory that ranks share: the ring's channels and the control block, and nothing
// that a message-passing program would keep to itself. It is anonymous, mapped before the fork, so
// that it has no name to leak and no /dev/shm to fill, and goes when the last process does.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/train/job.hpp"
#include "multiproc/ring_channel.hpp"

namespace dp::multiproc {

/// Where a rank is, for the message when it dies there.
/// Invariant: written by its rank alone; read by the supervisor, who tolerates a torn mix of old
/// and new fields.
struct alignas(core::kAlignmentBytes) RankPosition {
    std::atomic<std::uint32_t> epoch{0};
    std::atomic<std::uint32_t> step{0};
    std::atomic<std::uint32_t> phase{0};
    std::atomic<std::uint32_t> started{0};  // 1 once the rank has entered its first phase

    void store(const core::WorkerPosition& position);
    [[nodiscard]] core::WorkerPosition load(std::size_t rank) const;
};

class SharedSegment {
public:
    /// Room for a ring of `world_size` ranks, zero-filled. Throws Error(kResources) when the system
    /// refuses it.
    explicit SharedSegment(std::size_t world_size);
    ~SharedSegment();
    SharedSegment(const SharedSegment&) = delete;
    SharedSegment& operator=(const SharedSegment&) = delete;

    [[nodiscard]] std::size_t world_size() const;
    /// Non-zero once any rank has failed. Set by the supervisor, read by every wait.
    [[nodiscard]] std::atomic<std::uint32_t>& failed() const;
    [[nodiscard]] RankPosition& position(std::size_t rank) const;
    /// The channel from `rank` to its right neighbour, (rank + 1) modulo the world size.
    [[nodiscard]] RingChannel& channel_from(std::size_t rank) const;

private:
    struct Mapping;
    std::unique_ptr<Mapping> mapping_;
};

}  // namespace dp::multiproc
