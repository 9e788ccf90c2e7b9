// Waiting for other ranks under a deadline, and finding out which rank is missing. Part of the
// module.
//
// MPI does not say who is late. So each rank that waits answers questions meanwhile, and the rank
// whose deadline has passed asks all the others: who does not answer within a second is not waiting
// but standing still, and the others wait for it, directly or through a neighbour.
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/wait.hpp"
#include "multiproc/mpi/mpi_world.hpp"

namespace dp::multiproc {

inline constexpr int kQuestionTag = 1;
inline constexpr int kAnswerTag = 2;
inline constexpr int kClockTag = 3;
inline constexpr int kSegmentTag = 4;  // of place 0; that of place p is p more

/// Of a rank with several threads each may wait: whichever does answers for all, so that a rank is
/// silent when none of its threads waits for another rank.
///
/// Thread safety: wait() by any thread, one each place. What calls MPI does so under lock().
class RollCall {
public:
    /// `world` outlives it.
    explicit RollCall(MPI_Comm world);
    ~RollCall();
    RollCall(const RollCall&) = delete;
    RollCall& operator=(const RollCall&) = delete;

    [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(rank_); }
    [[nodiscard]] std::size_t world_size() const { return static_cast<std::size_t>(size_); }

    void set_name(RankName name) { name_ = std::move(name); }

    /// The turn of the calling thread to call MPI.
    [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(calls_); }

    /// Waits until `ready`(), which locks, is true, and returns the seconds that took, 0 when it
    /// was true at once. `peer` is the rank that it waits for, none when for all. Throws
    /// StalledRank that names who is missing, PeerFailed when limits.failed says so.
    template <typename Ready>
    double wait(const Ready& ready, const core::WaitLimits& limits,
                std::optional<std::size_t> peer) {
        if (ready()) return 0.0;
        Wait wait(*this, limits, peer);
        while (!ready()) wait.step();
        return wait.end();
    }

private:
    using Clock = std::chrono::steady_clock;

    class Wait {
    public:
        Wait(RollCall& roll_call, const core::WaitLimits& limits, std::optional<std::size_t> peer);
        /// Waits a little longer.
        void step();
        /// Returns the seconds since construction.
        double end() const;

    private:
        RollCall& roll_call_;
        const core::WaitLimits& limits_;
        const std::optional<std::size_t> peer_;
        std::size_t steps_ = 0;
        const Clock::time_point start_ = Clock::now();
    };

    /// Answers whoever has asked.
    void answer();
    /// Asks all other ranks; returns the one of them that does not answer, `peer` if it is one of
    /// several, none when all answer.
    std::optional<std::size_t> find_silent(std::optional<std::size_t> peer);
    [[noreturn]] void throw_stalled(double seconds, std::optional<std::size_t> peer);

    RankName name_ = [](std::size_t rank) { return fmt::format("worker {}", rank); };
    std::mutex calls_;
    MPI_Comm world_;
    int rank_ = 0;
    int size_ = 0;
    MPI_Request question_ = MPI_REQUEST_NULL;  // always posted; guarded by calls_
};

}  // namespace dp::multiproc
