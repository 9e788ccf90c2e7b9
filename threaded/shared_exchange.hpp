// All-reduce in shared memory: rank r sums its chunk of every bucket over all gradient blocks where
// they lie, into its own block, then updates that chunk of the one shared parameter block. Nothing
// is sent.
//
//   phase     rank r writes                       rank r reads                    ended by
//   backward  gradients[r], bucket by bucket      shared parameters               handed[r]
//   sum       chunk r of gradients[r], a bucket   chunk r of every gradients[k]   -
//   update    chunk r of parameters and state     chunk r of gradients[r]         barrier
//
// handed[r] counts the buckets that rank r has handed over since the start. A bucket is summed once
// every rank has handed it over: no sum reads gradients that are still being written. An update
// starts once every rank has handed over its last bucket and so ended its backward, which reads
// parameters. The barrier, publish(): no forward reads parameters, and no backward overwrites
// gradients, that another rank still works on; so begin_step() has nothing to wait for. Between
// them ranks write disjoint chunks and read no chunk that another writes.
//
// Cost for P ranks and S bytes of gradients: each rank reads S bytes and writes S/P; P counters are
// read per bucket, and 1 barrier.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "core/base/wait.hpp"
#include "core/exchange/buckets.hpp"
#include "core/exchange/gradient_exchange.hpp"
#include "threaded/barrier.hpp"

namespace dp::threaded {

/// What `--reduction` calls the one way in which threads sum.
inline constexpr std::string_view kReductionName = "in-place";

/// What the ranks of a team share. Made before the team starts, outlives it.
class SharedTeam {
public:
    SharedTeam(std::size_t world_size, std::vector<core::Range> buckets, double timeout_seconds);

private:
    friend class SharedExchange;

    /// Written by its rank, read by all.
    struct RankState {
        core::SharedCounter handed;  // buckets handed over, modulo 2^32
        // On a line of its own: a rank that starts to wait must not slow down those that read
        // `handed`.
        alignas(core::kAlignmentBytes) std::atomic<std::uint32_t> waiting{0};
    };

    // Constant after construction.
    const std::size_t world_size_;
    const std::vector<core::Range> buckets_;
    const double timeout_seconds_;
    // Written by rank r in its SharedExchange's constructor, read by all once r has handed over.
    std::vector<float*> gradients_;
    std::vector<RankState> ranks_;
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

    std::span<const core::Range> buckets() const override { return team_.buckets_; }
    void begin_step() override {}
    void hand_over(std::size_t count) override;
    void progress() override;
    void finish() override;
    std::span<const core::Range> update_ranges() const override { return chunks_; }
    std::span<const float> summed_gradients() const override { return gradients_; }
    void publish() override;
    void broadcast(std::span<float> values) override;
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override;
    core::ExchangeStats stats() const override { return stats_; }

private:
    void barrier();
    /// Returns the seconds waited.
    double wait_for(std::size_t rank, std::size_t bucket);
    [[nodiscard]] bool has_handed(std::uint32_t handed, std::size_t bucket) const;
    [[nodiscard]] bool all_have_handed(std::size_t bucket) const;
    void sum_next();
    /// Called with a deadline's error in flight: names the ranks that the others wait for.
    [[noreturn]] void throw_stalled() const;

    SharedTeam& team_;
    const std::size_t rank_;
    std::span<float> gradients_;
    std::vector<core::Range> chunks_;  // this rank's of each bucket
    core::WaitLimits limits_;
    std::uint32_t before_ = 0;  // buckets of all steps before this one
    std::size_t handed_ = 0;    // buckets of this step, as is the next
    std::size_t summed_ = 0;
    core::ExchangeStats stats_;
};

}  // namespace dp::threaded
