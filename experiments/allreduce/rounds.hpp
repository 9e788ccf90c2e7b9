// The rounds of one row on one rank, and the memory in which the ranks, threads or processes, meet
// and leave their stamps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/interprocess/mapped_region.hpp>

#include "core/base/wait.hpp"
#include "core/exchange/gradient_exchange.hpp"
#include "experiments/allreduce/table.hpp"

namespace dp::experiments::allreduce {

/// Made before any rank starts, in memory that forked ranks share with their parent, and that other
/// programs on the machine may join while its maker lives.
///
/// Thread safety: rank r calls its own functions; times_us() and wrong() once all ranks have ended.
/// Invariants:
///  1. A meeting ends when all ranks are there. What a rank wrote before it, all see after:
///     arrivals are acquire-release on one counter, and the last to arrive publishes.
///  2. Rank 0 decides before a meeting whether the rounds go on, so that all read the same after.
///  3. A rank's record is its own until it has ended.
class Scoreboard {
public:
    /// Throws Error(kResources) when the system refuses the memory.
    Scoreboard(std::size_t world_size, RoundLimits limits, double timeout_seconds);
    /// Joins the one whose path() is `path`, made with the same arguments. Throws Error(kResources)
    /// when it is not there.
    Scoreboard(const std::string& path, std::size_t world_size, RoundLimits limits,
               double timeout_seconds);
    ~Scoreboard();
    Scoreboard(const Scoreboard&) = delete;
    Scoreboard& operator=(const Scoreboard&) = delete;

    /// Where other processes of this user find it.
    [[nodiscard]] std::string path() const;
    [[nodiscard]] std::size_t world_size() const { return world_size_; }
    /// Set when any rank has failed; ends every meeting.
    [[nodiscard]] std::atomic<std::uint32_t>& failed() const { return header_->failed; }

    /// Rank 0 alone, before the meeting of `round`: says whether it is to run.
    void decide(std::size_t round);
    /// Throws PeerFailed or Error(kStalled).
    void meet();
    /// After a meeting: false when the rounds are over.
    [[nodiscard]] bool goes_on() const;

    void record(std::size_t rank, std::size_t round, std::int64_t arrival_ns, std::int64_t end_ns,
                std::size_t wrong);

    /// Of the timed rounds: from the last arrival to the last end.
    [[nodiscard]] std::vector<double> times_us() const;
    [[nodiscard]] std::size_t wrong() const;

private:
    struct Header {
        core::SharedCounter meetings;  // that have ended
        alignas(core::kAlignmentBytes) std::atomic<std::uint32_t> arrived{0};
        // Written by rank 0 between meetings, read by all after one.
        alignas(core::kAlignmentBytes) std::atomic<std::uint32_t> over{0};
        std::int64_t started_ns = 0;  // rank 0's own
        alignas(core::kAlignmentBytes) std::atomic<std::uint32_t> failed{0};
    };
    struct alignas(core::kAlignmentBytes) Record {
        std::size_t rounds = 0;
        std::size_t wrong = 0;
    };
    struct Stamps {
        std::int64_t arrival_ns;
        std::int64_t end_ns;
    };

    [[nodiscard]] std::span<Stamps> stamps(std::size_t rank) const {
        return {stamps_ + rank * limits_.capacity(), limits_.capacity()};
    }

    [[nodiscard]] std::size_t size_bytes() const;
    /// Maps the file called `path`.
    void map(const std::string& path);
    /// Throws Error(kResources) that says `why`.
    [[noreturn]] void refuse(const char* why) const;

    // Constant after construction.
    const std::size_t world_size_;
    const RoundLimits limits_;
    const double timeout_seconds_;
    int file_ = -1;  // without a name; of who has made it
    boost::interprocess::mapped_region region_;
    Header* header_ = nullptr;
    Record* records_ = nullptr;
    Stamps* stamps_ = nullptr;
};

/// Runs the rounds of rank `rank` on its exchange, on a CPU of its own: rewrites `gradients`, the
/// block that `exchange` sums, meets, times one all-reduce and checks what this rank has of the
/// sum. Every rank runs it.
void run_rounds(Scoreboard& board, std::size_t rank, core::GradientExchange& exchange,
                std::span<float> gradients);

}  // namespace dp::experiments::allreduce
