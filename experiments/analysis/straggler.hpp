// Who holds the others up, and with what.
//
// Ranks meet twice in a step: at the exchange, and in threads also at publish. Each step has one
// rank that comes last and a gap to the last but one, which all others wait
// (core/measure/lateness). Chance makes each of N ranks last in 1/N of the steps. A straggler is a
// rank that is last in most steps and costs more than chance makes any other rank cost; the phase
// it is late with is the one in which it spends most beyond the other ranks.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "core/measure/phase_clock.hpp"
#include "core/train/run_result.hpp"
#include "experiments/results/results_folder.hpp"

namespace dp::experiments::analysis {

/// Both must hold for a rank to be named.
inline constexpr double kMostSteps = 2.0 / 3.0;  // it is last in more than this share of the steps
inline constexpr double kMaterialShare = 0.03;   // and costs more than this share of training time
/// A phase is named when its excess explains at least this share of the time lost.
inline constexpr double kExplains = 0.5;

struct Straggler {
    std::size_t rank = 0;
    double steps_share = 0.0;  // of the steps in which it was last
    /// The gaps it left, less those of the rank that left the next most: mean over all steps, and
    /// as a share of training time.
    double lost_seconds_per_step = 0.0;
    double lost_share = 0.0;
    std::optional<core::Phase> phase;      // none when no phase explains it
    double excess_seconds_per_step = 0.0;  // of that phase, beyond the other ranks' median
};

/// Over all steps of the repetitions of one configuration; none where nobody stands out, with one
/// rank, and in serial.
std::optional<Straggler> find_straggler(std::span<const Run> runs);

/// One sentence on the ranks of `mode` with `workers` workers.
std::string describe(const Straggler& straggler, const std::string& mode, std::size_t workers);

/// One clause on the clocks of a run's machines: how closely they were aligned, or that they were
/// not and why; empty where all workers have one clock.
std::string describe_clocks(const core::RunResult& result);

/// What the two thresholds are, as a sentence.
std::string straggler_rule();

}  // namespace dp::experiments::analysis
