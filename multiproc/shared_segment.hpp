// The one piece of memory that ranks share. It is anonymous, mapped before the fork, so that it has
// no name to leak and no /dev/shm to fill, and goes when the last process does.
//
//   part            written by                      read by
//   control block   supervisor                      all ranks, in every wait
//   position        its rank                        supervisor
//   counters        its rank                        the ranks that its reduction lets wait for it
//   channels        sender, slot by slot            receiver
//   gradients       its rank (shared-direct: any     the ranks that its reduction lets read them
//                   rank, its own chunk)
//
// There is a channel for each pair of ranks that the reduction lets talk. Gradients lie here for
// the reductions alone that read another rank's where they lie, as an MPI library does with a
// peer's buffer (CMA, XPMEM); everything else that a rank computes with is private. Pages are
// touched first by their own rank.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/wait.hpp"
#include "core/exchange/channel.hpp"
#include "core/train/job.hpp"
#include "multiproc/ring_channel.hpp"

namespace dp::multiproc {

/// Where a rank is, for the message when it dies there or stalls.
/// Invariant: written by its rank alone; read by the supervisor, who tolerates a torn mix of old
/// and new fields.
struct alignas(core::kAlignmentBytes) RankPosition {
    std::atomic<std::uint32_t> epoch{0};
    std::atomic<std::uint32_t> step{0};
    std::atomic<std::uint32_t> phase{0};
    std::atomic<std::uint32_t> started{0};  // 1 once the rank has entered its first phase
    std::atomic<std::uint32_t> waiting{0};  // 1 while it waits for another rank
    std::atomic<std::uint32_t> blamed{0};   // 1 + the rank that it found standing still; 0: none

    void store(const core::WorkerPosition& position);
    [[nodiscard]] core::WorkerPosition load(std::size_t rank) const;
};

/// How far a rank is with its exchanges, counted since the start, modulo 2^32; each on a cache line
/// of its own. What `done` counts is the reduction's business.
struct RankCounters {
    core::SharedCounter handed;  // buckets handed over
    core::SharedCounter done;
};

/// What a segment has room for.
struct SegmentPlan {
    std::size_t world_size = 1;
    std::size_t gradient_floats = 0;      // per rank, at most; 0: gradients are private
    core::Receivers receivers = nullptr;  // besides right neighbours; null: none
    ChannelShape shape = {};              // of every channel
    std::uint32_t first_count = 0;        // of all counters: tests set it near the wrap at 2^32
};

class SharedSegment {
public:
    /// Zero-filled; what is never touched takes no memory. Throws Error(kResources) when the system
    /// refuses the memory.
    explicit SharedSegment(const SegmentPlan& plan);
    ~SharedSegment();
    SharedSegment(const SharedSegment&) = delete;
    SharedSegment& operator=(const SharedSegment&) = delete;

    [[nodiscard]] std::size_t world_size() const;
    /// Non-zero once any rank has failed. Set by the supervisor, read by every wait.
    [[nodiscard]] std::atomic<std::uint32_t>& failed() const;
    [[nodiscard]] RankPosition& position(std::size_t rank) const;
    [[nodiscard]] RankCounters& counters(std::size_t rank) const;
    /// The channel on which rank `from` sends to rank `to`; null where it does not.
    [[nodiscard]] RingChannel* channel(std::size_t from, std::size_t to) const;
    [[nodiscard]] const ChannelShape& channel_shape() const;
    /// All of `rank`'s room for gradients, starting on a page.
    [[nodiscard]] std::span<float> gradients(std::size_t rank) const;

private:
    struct Mapping;
    std::unique_ptr<Mapping> mapping_;
};

}  // namespace dp::multiproc
