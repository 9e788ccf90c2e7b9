// The exchange of ranks that are threads of several processes: in place within a process, and each
// thread's slice by messages between the processes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/exchange/channel.hpp"
#include "core/exchange/hierarchical_exchange.hpp"
#include "core/exchange/message_reductions.hpp"
#include "threaded/in_place_exchange.hpp"
#include "threaded/team_exchange.hpp"

namespace dp::multiproc {

/// A reduction of threads within a process, and one of core's between processes.
struct HybridReduction {
    core::ExchangeTraits traits;
    std::unique_ptr<threaded::InPlaceExchange> (*make_inner)(threaded::TeamSetup team) = nullptr;

    /// Has its name.
    [[nodiscard]] const core::MessageReduction& outer() const;
};

/// The first is the default. One whose order is SumOrder::kTree needs processes and threads of a
/// power of two each, or only one of either.
std::span<const HybridReduction> hybrid_reductions();

/// What one rank's exchange is made from.
struct HybridSetup {
    threaded::TeamSetup team;  // of its process, and its gradients
    std::size_t threads = 1;   // of each process
    std::size_t processes = 1;
    std::unique_ptr<core::Channels> channels;  // to the threads of its place in other processes
    core::WaitLimits limits = {};              // of waits for those
};

/// One rank's end. All threads of a process make theirs before any uses its own.
std::unique_ptr<core::HierarchicalExchange> make_hybrid_exchange(const HybridReduction& reduction,
                                                                 HybridSetup setup);

}  // namespace dp::multiproc
