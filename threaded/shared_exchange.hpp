// All-reduce in shared memory: rank r sums its chunk of every bucket over all gradient blocks where
// they lie, into its own block, then updates that chunk of the one shared parameter block. Nothing
// is sent.
//
//   phase     rank r writes                       rank r reads                    ended by
//   backward  gradients[r], all of it             shared parameters               barrier A
//   reduce    chunk r of gradients[r]             chunk r of every gradients[k]   -
//   update    chunk r of parameters and state     chunk r of gradients[r]         barrier B
//
// Barrier A: no sum starts on gradients that are still being written, no update on parameters that
// a backward still reads. Barrier B: no forward reads parameters, and no backward overwrites
// gradients, that another rank still works on. Between them ranks touch disjoint chunks, so two
// barriers a step are enough.
//
// Cost for P ranks and S bytes of gradients: each rank reads S bytes and writes S/P; 2 barriers.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "core/base/wait.hpp"
#include "core/train/buckets.hpp"
#include "core/train/gradient_exchange.hpp"
#include "threaded/barrier.hpp"

namespace dp::threaded {

/// What the ranks of a team share. Made before the team starts, outlives it.
class SharedTeam {
public:
    SharedTeam(std::size_t world_size, std::vector<core::Range> buckets, double timeout_seconds);

private:
    friend class SharedExchange;

    // Constant after construction.
    const std::size_t world_size_;
    const std::vector<core::Range> buckets_;
    core::WaitLimits limits_;
    // Written by rank r in its SharedExchange's constructor, read by all after the first barrier.
    std::vector<float*> gradients_;
    // Slot r written by rank r (broadcast: rank 0) before a barrier, read by all after it, free
    // after the next.
    std::vector<std::byte> mailbox_;
    const float* broadcast_source_ = nullptr;
    Barrier barrier_;

public:
    /// Set when any rank has failed; ends every wait.
    std::atomic<std::uint32_t> failed{0};
};

class SharedExchange final : public core::GradientExchange {
public:
    /// `gradients` is rank `rank`'s block. Construction is not a barrier.
    SharedExchange(SharedTeam& team, std::size_t rank, std::span<float> gradients);

    void reduce() override;
    std::span<const core::Range> update_ranges() const override { return chunks_; }
    std::span<const float> summed_gradients() const override { return gradients_; }
    void publish() override { stats_.wait_seconds += barrier(); }
    void broadcast(std::span<float> values) override;
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override;
    core::ExchangeStats stats() const override { return stats_; }

private:
    /// Returns the seconds waited.
    double barrier() { return team_.barrier_.arrive_and_wait(team_.limits_); }

    SharedTeam& team_;
    const std::size_t rank_;
    std::span<float> gradients_;
    std::vector<core::Range> chunks_;  // this rank's of each bucket
    core::ExchangeStats stats_;
};

}  // namespace dp::threaded
