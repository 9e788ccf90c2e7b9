// Finished runs side by side: whether they can be trusted, and the table of them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/train/run_config.hpp"
#include "core/train/run_result.hpp"

namespace dp::experiments {

/// A run that has ended well.
struct FinishedRun {
    core::RunConfig config;
    core::RunResult result;
    bool oversubscribed = false;
    std::size_t repetition = 1;
};

struct Verdict {
    bool equal = true;
    std::string line;  // empty when there was nothing to compare
};

/// Runs with as many ranks must end with the same bits, whatever the mode and the repetition.
Verdict compare_checksums(const std::vector<FinishedRun>& runs);

/// Prints a row per configuration, in the order of `configurations`, with the medians over its
/// repetitions; speedup and efficiency against serial with one worker, if it is among them. From
/// five repetitions on medians and speedups have 95 % intervals. Then how threads and procs
/// compare, pair by pair, where there are repetitions. `checked` says what was verified; may be
/// empty.
void print_table(const std::vector<core::RunConfig>& configurations,
                 const std::vector<FinishedRun>& runs, const std::string& checked);

}  // namespace dp::experiments
