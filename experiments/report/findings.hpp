// What matters most in a folder of results, in a few sentences: the head of the report and what
// `dp_compare report` prints.
#pragma once

#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::report {

/// "threads are 1.02 times as fast as procs with N = 2 (95 % interval 1.01 to 1.03, 5 pairs)", or
/// that no difference is shown.
std::string describe(const Comparison& comparison);

/// Who wins at each N that has a CPU for each worker, the main cause of each mode's loss, a
/// straggler if there is one, and whether parameters agree.
std::vector<std::string> find_findings(const Analysis& analysis);

/// Of all configurations where a rank stands out; else one sentence that none does. Empty where no
/// configuration has two ranks.
std::vector<std::string> describe_stragglers(const Analysis& analysis);

/// Whether modes of one N ended with equal parameters.
std::string describe_correctness(const Analysis& analysis);

}  // namespace dp::experiments::report
