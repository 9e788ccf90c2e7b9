// The exchange of ranks that are threads of several processes: in place within a process, and each
// thread's slice by messages around a ring of the processes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/exchange/channel.hpp"
#include "core/exchange/hierarchical_exchange.hpp"
#include "threaded/team_exchange.hpp"

namespace dp::multiproc {

/// What is exchanged between the processes, a row for each way.
std::span<const core::ExchangeTraits> hybrid_reductions();

/// What one rank's exchange is made from.
struct HybridSetup {
    threaded::TeamSetup team;  // of its process, and its gradients
    std::size_t threads = 1;   // of each process
    std::size_t processes = 1;
    std::unique_ptr<core::Channels> channels;  // to the threads of its place in other processes
    core::WaitLimits limits = {};              // of waits for those
};

/// One rank's end. All threads of a process make theirs before any uses its own.
std::unique_ptr<core::HierarchicalExchange> make_hybrid_exchange(HybridSetup setup);

}  // namespace dp::multiproc
