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
#include <optional>
#include <vector>

#include "core/base/wait.hpp"

namespace dp::multiproc {

inline constexpr int kSegmentTag = 1;
inline constexpr int kQuestionTag = 2;
inline constexpr int kAnswerTag = 3;

/// Thread safety: belongs to its rank's thread.
class RollCall {
public:
    /// `world` outlives it.
    explicit RollCall(MPI_Comm world);
    ~RollCall();
    RollCall(const RollCall&) = delete;
    RollCall& operator=(const RollCall&) = delete;

    [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(rank_); }
    [[nodiscard]] std::size_t world_size() const { return static_cast<std::size_t>(size_); }

    /// Waits until `ready`() is true, and returns the seconds that took, 0 when it was true at
    /// once. `peer` is the rank that it waits for, none when for all. Throws StalledRank that
    /// names who is missing.
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

    MPI_Comm world_;
    int rank_ = 0;
    int size_ = 0;
    MPI_Request question_ = MPI_REQUEST_NULL;  // always posted
};

}  // namespace dp::multiproc
