// The ways to sum gradients between threads, a row each.
#pragma once

#include <span>

#include "core/exchange/reduction_table.hpp"
#include "threaded/team_exchange.hpp"

namespace dp::threaded {

using Reduction = core::Reduction<TeamExchange, TeamSetup>;

/// The first is the default.
std::span<const Reduction> reductions();

}  // namespace dp::threaded
