// Who holds the others up, and with what.
//
// Ranks meet twice in a step: at the exchange, and in threads also at publish. In each step one
// rank comes last, and all others wait for the gap that it leaves to the last but one. A straggler
// leaves one in the median step, so that a few long stalls do not make one, and in one repetition
// as in another, so that chance does not either. The phase it is late with is one between the
// meeting before and this one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "core/measure/phase_clock.hpp"
#include "core/train/run_result.hpp"
#include "experiments/results/results_folder.hpp"

namespace dp::experiments::analysis {

/// A rank is named whose gap in the median step is more than this share of the step.
inline constexpr double kMaterialShare = 0.03;
/// A phase is named when its excess explains at least this share of the gap.
inline constexpr double kExplains = 0.5;
/// With fewer repetitions than a test takes, stretches of so many steps stand for them: neighbours
/// are alike, and the medians of stretches are less so (Schmeiser, "Batch size effects in the
/// analysis of simulation output", 1982).
inline constexpr std::size_t kStretchSteps = 5;
inline constexpr std::size_t kMostStretches = 10;

struct Straggler {
    std::size_t rank = 0;
    double steps_share = 0.0;  // of the steps in which it was last
    /// By how much it comes after the last but one, below 0 where that is itself: median over the
    /// steps of each repetition, of those the median; and as a share of the median step.
    double lost_seconds_per_step = 0.0;
    double lost_share = 0.0;
    double p_value = 1.0;                  // adjusted for all ranks and meetings
    std::size_t samples = 0;               // medians that the test is of
    std::optional<core::Phase> phase;      // none when no phase explains it
    double excess_seconds_per_step = 0.0;  // of that phase, beyond the other ranks' median
};

struct StragglerVerdict {
    std::optional<Straggler> named;
    /// Why nobody could be, as a clause; empty where ranks were compared, and where there is one.
    std::string not_judged;
};

/// Over the steps, without cold ones, of the repetitions of one configuration.
StragglerVerdict find_straggler(std::span<const Run> runs);

/// One sentence on the ranks of `mode` with `workers` workers.
std::string describe(const Straggler& straggler, const std::string& mode, std::size_t workers);

/// One clause on the clocks of a run's machines: how closely they were aligned, or that they were
/// not and why; empty where all workers have one clock.
std::string describe_clocks(const core::RunResult& result);

/// When a rank is named, in sentences.
std::string straggler_rule();

}  // namespace dp::experiments::analysis
