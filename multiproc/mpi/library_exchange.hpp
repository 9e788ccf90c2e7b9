// All-reduce by the MPI library: MPI_Iallreduce of each bucket, so that what the library chooses
// can be held against algorithms that are written out. It begins a bucket's sum as soon as the
// bucket is handed over; progress() gives the library time to move it on.
//
// Cost for P ranks and S bytes: the library's choice. The counts are those of a ring, which it
// takes for long messages (Open MPI's `coll_tuned`).
//
// The library may add in any order, and in another one on another day: the sums are the same on all
// ranks, but the checksums of two runs need not be.
#pragma once

#include "core/exchange/channel_exchange.hpp"
#include "multiproc/mpi/mpi_world.hpp"

namespace dp::multiproc {

class LibraryExchange final : public core::ChannelExchange {
public:
    static constexpr core::ExchangeTraits kTraits{
        .name = "library",
        .former_name = {},
        .description = "MPI_Iallreduce of each bucket, as the MPI library does it",
        .order = core::SumOrder::kUnordered,
        .sent_per_byte = [](double ranks) { return 2.0 * (ranks - 1.0) / ranks; },
    };

    /// `world` outlives it.
    LibraryExchange(core::ChannelSetup setup, MpiWorld& world);

    /// The sums of the step before have all ended.
    void begin_step() override;

private:
    /// Begins the next sum, or counts those that have ended.
    bool advance() override;
    void await(std::size_t count) override;

    void end_sum();

    MpiWorld& world_;
    std::size_t ended_before_;  // sums of all steps before this one
    std::size_t begun_ = 0;     // of this step
};

}  // namespace dp::multiproc
