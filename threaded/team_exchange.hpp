// What the reductions between threads have in common: the memory that the ranks of a team share,
// and the collectives over it. Rank r updates chunk r of every bucket of the one shared parameter
// block, if its reduction does not say otherwise, from the sum that it leaves where
// summed_gradients() says.
//
// handed[r] counts the buckets that rank r has handed over since the start. An update starts once
// every rank has handed over its last bucket and so ended its backward, which reads parameters. The
// barrier, publish(): no forward reads parameters, and no backward overwrites gradients, that
// another rank still works on; so begin_step() has nothing to wait for.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/memory_block.hpp"
#include "core/base/wait.hpp"
#include "core/exchange/buckets.hpp"
#include "core/exchange/piecewise_exchange.hpp"
#include "threaded/barrier.hpp"
#include "threaded/omp_lock.hpp"

namespace dp::threaded {

/// What the ranks of a team share. Made before the team starts, outlives it.
class SharedTeam {
public:
    /// The ranks' counters start at `first_count`, which tests set near the wrap at 2^32.
    SharedTeam(std::size_t world_size, std::vector<core::Range> buckets, double timeout_seconds,
               core::WaitKind wait = core::WaitKind::kAuto, std::uint32_t first_count = 0);

private:
    friend class TeamExchange;

    /// Written by its rank, read by all.
    struct RankState {
        core::SharedCounter handed;  // buckets handed over, modulo 2^32
        core::SharedCounter done;    // buckets that it has done its part of, modulo 2^32
        // On a line of its own: a rank that starts to wait must not slow down those that read
        // `handed`.
        alignas(core::kAlignmentBytes) std::atomic<std::uint32_t> waiting{0};
    };

    // Constant after construction.
    const std::size_t world_size_;
    const std::vector<core::Range> buckets_;
    const double timeout_seconds_;
    const core::WaitKind wait_;
    // Written by rank r in its TeamExchange's constructor, read by all once r has handed over.
    std::vector<float*> gradients_;
    std::vector<RankState> ranks_;
    // Slot r written by rank r (broadcast: rank 0) before a barrier, read by all after it, free
    // after the next.
    std::vector<std::byte> mailbox_;
    std::vector<std::string_view> reports_;
    const float* broadcast_source_ = nullptr;
    Barrier barrier_;
    // For reductions that sum into a block of its own; nobody touches its pages with the others.
    core::FloatBlock sum_;
    std::vector<OmpLock> locks_;  // one for each bucket

public:
    /// Set when any rank has failed; ends every wait.
    std::atomic<std::uint32_t> failed{0};
};

/// What every reduction is made from: `gradients` is rank `rank`'s block.
struct TeamSetup {
    SharedTeam& team;
    std::size_t rank = 0;
    std::span<float> gradients;
};

class TeamExchange : public core::PiecewiseExchange {
public:
    void begin_step() override {}
    std::span<const core::Range> update_ranges() const override { return chunks_; }
    void publish(std::span<float> parameters) final;
    void broadcast(std::span<float> values) final;
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) final;
    std::vector<std::string> gather(std::string_view mine) final;

protected:
    /// Construction is not a barrier.
    explicit TeamExchange(TeamSetup setup);

    /// True when every rank has handed `bucket` over.
    [[nodiscard]] bool all_have_handed(std::size_t bucket) const;
    /// Waits until they have.
    void wait_for_all(std::size_t bucket);
    /// Tells the others that this rank has done its part of all buckets up to the one that the next
    /// piece is of. What a part is, the reduction says.
    void tell_done();
    [[nodiscard]] bool has_done(std::size_t rank, std::size_t bucket) const;
    void wait_until_done(std::size_t rank, std::size_t bucket);
    /// All ranks' gradient blocks; rank r's may be read once r has handed over.
    [[nodiscard]] std::span<float* const> blocks() const { return team_.gradients_; }
    /// This rank's chunk of `bucket`.
    [[nodiscard]] core::Range chunk(std::size_t bucket) const { return chunks_[bucket]; }
    [[nodiscard]] std::span<float> gradients() const { return gradients_; }
    /// One more block, as large as a rank's and zero at first, which belongs to nobody.
    [[nodiscard]] std::span<float> shared_sum() const { return team_.sum_.span(); }
    /// The lock of `bucket` of the shared sum.
    [[nodiscard]] OmpLock& lock_of(std::size_t bucket) const { return team_.locks_[bucket]; }

private:
    void barrier();
    /// Called with a deadline's error in flight: names the ranks that the others wait for.
    [[noreturn]] void throw_stalled() const;

    SharedTeam& team_;
    std::span<float> gradients_;
    std::vector<core::Range> chunks_;  // this rank's of each bucket
};

}  // namespace dp::threaded
