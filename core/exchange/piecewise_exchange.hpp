// What exchanges have in common whose ranks tell each other by counters what they have handed over
// and sum the buckets in pieces: the bookkeeping of a step. A reduction adds how it does one piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/wait.hpp"
#include "core/exchange/gradient_exchange.hpp"

namespace dp::core {

class PiecewiseExchange : public GradientExchange {
public:
    std::span<const Range> buckets() const final { return buckets_; }
    void hand_over(std::size_t count) final;
    void progress() final;
    void finish(std::size_t count) final;
    ExchangeStats stats() const final { return stats_; }
    /// Buckets of this step that are summed, all of them before any that is not.
    [[nodiscard]] std::size_t summed() const;

protected:
    /// `handed` counts the buckets that this rank has handed over since the start, modulo 2^32,
    /// from any value that all ranks share; null where no other rank looks.
    PiecewiseExchange(std::size_t rank, std::size_t world_size, std::vector<Range> buckets,
                      SharedCounter* handed, const WaitLimits& limits);

    /// Does the next piece of this step's work. False, and nothing done, when that must wait for
    /// another rank, or for this one to hand over more, or when no piece is left.
    virtual bool advance() = 0;
    /// Waits until advance() has something to do or complete(count) is true. Called when the first
    /// `count` buckets are handed over and not complete.
    virtual void await(std::size_t count) = 0;
    /// True when the first `count` buckets, at least one, are summed.
    [[nodiscard]] virtual bool complete(std::size_t count) const { return bucket_ >= count; }

    /// The end of finish(): peers may need what this rank has begun to send.
    virtual void settle() {}

    [[nodiscard]] std::size_t rank() const { return rank_; }
    [[nodiscard]] std::size_t world_size() const { return world_size_; }
    /// The rank `distance` places to the left.
    [[nodiscard]] std::size_t rank_at(std::size_t distance_left) const {
        return (rank_ + world_size_ - distance_left % world_size_) % world_size_;
    }
    [[nodiscard]] const WaitLimits& limits() const { return limits_; }
    /// Buckets of this step that this rank has handed over.
    [[nodiscard]] std::size_t handed() const { return handed_; }
    /// The bucket of this step that the next piece is of.
    [[nodiscard]] std::size_t bucket() const { return bucket_; }
    void end_bucket() { ++bucket_; }
    /// Buckets of all steps before this one, modulo 2^32.
    [[nodiscard]] std::uint32_t buckets_before() const { return before_; }
    /// True when `count`, a rank's counter of buckets, includes `bucket` of this step.
    [[nodiscard]] bool includes(std::uint32_t count, std::size_t bucket) const {
        return is_past(count, before_ + static_cast<std::uint32_t>(bucket));
    }
    /// Counters wrap at 2^32 and are never further apart than half of that.
    static bool is_past(std::uint32_t counter, std::uint32_t value) {
        return static_cast<std::int32_t>(counter - value) > 0;
    }
    void count_sent(std::size_t floats) { stats_.sent_bytes += floats * sizeof(float); }
    /// Counts a wait for rank `peer` that has just ended; `what` that rank had to do, with `bucket`
    /// if it is one.
    void count_wait(double seconds, std::string_view what, std::size_t peer, std::size_t bucket);
    /// Counts a wait for whoever held a lock.
    void count_wait(double seconds) { stats_.wait_seconds += seconds; }

private:
    const std::size_t rank_;
    const std::size_t world_size_;
    const std::vector<Range> buckets_;
    SharedCounter* const handed_counter_;
    const WaitLimits limits_;
    std::uint32_t before_;
    std::size_t handed_ = 0;
    std::size_t bucket_ = 0;
    ExchangeStats stats_;
};

}  // namespace dp::core
