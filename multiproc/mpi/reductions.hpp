// The ways to sum gradients between ranks of MPI, a row each: core's algorithms over channels, and
// the library's own.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/exchange/message_reductions.hpp"
#include "core/exchange/reduction_table.hpp"
#include "multiproc/mpi/mpi_world.hpp"

namespace dp::multiproc {

struct MpiReduction {
    core::ExchangeTraits traits;
    /// What core's table says of it; null where the library sums.
    const core::MessageReduction* messages = nullptr;

    /// One rank's end. `world` outlives it; `update` is kSharded where the traits can be.
    [[nodiscard]] std::unique_ptr<core::ChannelExchange> make(
        MpiWorld& world, std::vector<core::Range> buckets, std::size_t size,
        const core::WaitLimits& limits,
        core::UpdateKind update = core::UpdateKind::kReplicated) const;
};

/// The first is the default.
std::span<const MpiReduction> mpi_reductions();

}  // namespace dp::multiproc
