// What a run was asked to do. Plain values; the command line fills it, the run's JSON repeats it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/wait.hpp"
#include "core/exchange/exchange_traits.hpp"
#include "core/measure/phase_clock.hpp"
#include "core/measure/trace.hpp"
#include "core/nn/network_options.hpp"
#include "core/optim/optimizer.hpp"

namespace dp::core {

/// A fault to inject: rank `rank` sleeps each time it enters `phase`, once a step.
struct Delay {
    std::size_t rank = 0;
    double milliseconds = 0.0;
    Phase phase = Phase::kLoad;  // load, forward, backward or update
};

/// What a rank updates that has a replica of its own.
inline constexpr std::array kReplicaUpdates{
    OptionRow<UpdateKind>{"replicated", UpdateKind::kReplicated, "all parameters, on every rank"},
    OptionRow<UpdateKind>{"sharded", UpdateKind::kSharded,
                          "a share of them, whose optimizer state it holds alone, and sends the "
                          "result (ZeRO, stage 1)"},
};

/// How a rank waits for another.
inline constexpr std::array kWaits{
    OptionRow<WaitKind>{"auto", WaitKind::kAuto, "spins for 3 us, then yields, then blocks"},
    OptionRow<WaitKind>{"spin", WaitKind::kSpin, "looks again and again, and keeps its CPU"},
    OptionRow<WaitKind>{"yield", WaitKind::kYield, "offers its CPU to others between two looks"},
    OptionRow<WaitKind>{"block", WaitKind::kBlock, "sleeps in the kernel until it is woken"},
};

struct RunConfig {
    std::string mode = "serial";
    std::size_t workers = 1;  // of `serial`, virtual ones played in turn
    /// Into how many shards a global batch is cut, each a rank's, which the workers play in turn;
    /// a multiple of `workers`. None: each worker is one rank.
    std::optional<std::size_t> shards;
    std::size_t threads_per_worker = 1;  // of `hybrid`: ranks in a process; divides `workers`
    std::string model = "cifar_cnn";
    std::string dataset = "synthetic";
    std::size_t epochs = 5;
    std::optional<std::size_t> steps_limit;  // each epoch ends after this many steps
    std::size_t batch_size = 128;            // images per rank and step
    NetworkOptions network;
    OptimizerConfig optimizer;
    double dropout = 0.5;
    bool augment = false;
    bool shuffle = true;
    std::uint64_t seed = 1;
    std::size_t bucket_kib = 1024;                // 0: one exchange per tensor
    std::string reduction;                        // empty: the mode's default
    bool overlap = true;                          // the exchange advances during backward
    UpdateKind update = UpdateKind::kReplicated;  // of ranks that have replicas
    std::optional<Delay> delay;
    std::optional<StepRange> trace;  // record these steps of the first epoch
    double timeout_seconds = 300.0;  // of one wait for a peer
    WaitKind wait = WaitKind::kAuto;
    std::string bind = "none";   // of ranks to CPUs: none, close, spread or a list of CPUs
    std::string mpi_run;         // what starts the ranks of mode mpi; empty: mpirun, here
    std::filesystem::path load;  // empty: parameters start from the seed
    std::filesystem::path save;  // empty: nothing is saved

    /// Ranks, of which each has its share of the images and gradients of its own.
    [[nodiscard]] std::size_t world_size() const { return shards.value_or(workers); }
    [[nodiscard]] std::size_t ranks_per_worker() const { return world_size() / workers; }
};

}  // namespace dp::core
