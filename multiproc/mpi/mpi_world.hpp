// What the program knows of MPI: an interface whose implementation is a module of its own,
// libdp_mpi.so, which alone links the library. It is loaded when a rank needs it and never
// otherwise, so that the program runs where there is no MPI.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/exchange/channel.hpp"
#include "multiproc/mpi/clocks.hpp"

namespace dp::multiproc {

/// What messages call a rank of MPI.
using RankName = std::function<std::string(std::size_t rank)>;

/// A rank that has waited too long, and the one that stands still, if that could be told.
class StalledRank : public core::Error {
public:
    StalledRank(std::optional<std::size_t> rank, std::size_t reporter, double seconds,
                const RankName& name)
        : Error(core::ExitCode::kStalled,
                "{}: {} waited {:.1f} s: give slow workers more time with --timeout",
                rank ? name(*rank) + " has stalled" : "the workers have stalled", name(reporter),
                seconds),
          rank_(rank) {}

    [[nodiscard]] std::optional<std::size_t> rank() const { return rank_; }

private:
    std::optional<std::size_t> rank_;
};

/// All ranks that one launcher has started, from the view of this one. There is one object at most
/// in a process, and none after it.
///
/// Thread safety: belongs to the thread that opened it, but that make_channels() may be called, and
/// its channels used, by one thread for each place at once. The library is asked for
/// MPI_THREAD_SERIALIZED, which all have, and one lock lets one thread at a time into it: every
/// call but barrier(), all_gather() and close() returns at once, and those wait while the lock is
/// free.
class MpiWorld {
public:
    virtual ~MpiWorld() = default;

    [[nodiscard]] virtual std::size_t rank() const = 0;
    [[nodiscard]] virtual std::size_t world_size() const = 0;

    /// Before the first wait: without it, ranks are "worker 0" and so on.
    virtual void set_name(RankName name) = 0;

    /// Channels to the right neighbour, from the left one, and as `receivers` (may be null) says.
    /// They join those of the same `place` in all ranks: places are the threads of a rank that has
    /// several, from 0. The world outlives them. Those of one time must be gone on all ranks, with
    /// a barrier() after, before the next are made.
    [[nodiscard]] virtual std::unique_ptr<core::Channels> make_channels(core::Receivers receivers,
                                                                        std::size_t place) = 0;

    /// Begins to replace `values` by their sum over all ranks, in an order that the library
    /// chooses. All ranks begin the same sums in the same order; `values` stay where they are until
    /// it has ended.
    virtual void begin_sum(std::span<float> values) = 0;
    /// Sums that have ended of those begun, in order; moves the others on.
    virtual std::size_t ended_sums() = 0;
    /// Waits until ended_sums() is `count` or more and returns the seconds that took. Throws
    /// Error(kStalled) at the deadline.
    virtual double wait_for_sums(std::size_t count, const core::WaitLimits& limits) = 0;

    /// Reads all ranks' clocks from rank 0, which gets a reading for each rank, the others none;
    /// all ranks call it. Throws Error(kStalled) at the deadline.
    virtual std::vector<ClockReading> read_clocks(const core::WaitLimits& limits) = 0;

    virtual void barrier() = 0;
    /// On output: `all` holds every rank's `mine`, in rank order, all equally long.
    virtual void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) = 0;
    /// Leaves the world, with all other ranks. Without it the launcher takes this rank for failed.
    virtual void close() = 0;
};

/// The module's only symbol. Starts MPI; returns null when `version`, kMpiModuleVersion of
/// the program, is not the module's own.
/// Throws Error(kResources) when MPI cannot be started.
using OpenMpiWorld = MpiWorld* (*)(const char* version);
inline constexpr const char* kOpenMpiWorld = "dp_open_mpi_world";

}  // namespace dp::multiproc
