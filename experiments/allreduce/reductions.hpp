// The reductions that can be timed, each with the mode it belongs to, and how to run ranks on one:
// the only place of the benchmark that knows the programming models.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/exchange/gradient_exchange.hpp"

namespace dp::experiments::allreduce {

/// Ranks that sum `count` floats in one bucket.
struct Team {
    std::size_t workers = 1;             // ranks
    std::size_t threads_per_worker = 1;  // ranks in a process, of modes that have teams
    std::size_t count = 0;
    double timeout_seconds = 300.0;
    /// Called on each rank, with the block that its exchange sums, not yet touched by another.
    std::function<void(std::size_t rank, core::GradientExchange& exchange,
                       std::span<float> gradients)>
        work;
    /// Called once when a rank has failed, to release those that wait for it.
    std::function<void()> on_failure;
    /// Arguments with which this program, started anew, does the work of one rank, for modes whose
    /// ranks are launched.
    std::vector<std::string> rank_arguments;
    std::string mpi_run;  // what launches them; empty: mpirun, here
};

struct TimedReduction {
    std::string_view mode;
    core::ExchangeTraits traits;
};

/// The reductions of every mode that has ranks, as its own table has them: a mode's default comes
/// first.
std::vector<TimedReduction> reductions();

/// The modes that are timed unless others are asked for: those that need no other program and
/// nothing but a number of workers.
std::vector<std::string> usual_modes();

/// Runs `team` on `reduction` in fresh processes. Throws what a rank failed with.
void run_team(const TimedReduction& reduction, const Team& team);

}  // namespace dp::experiments::allreduce
