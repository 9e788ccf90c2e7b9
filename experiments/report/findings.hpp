// What matters most in a folder of results, in a few sentences: the head of the report and what
// `dp_compare report` prints.
#pragma once

#include <string>
#include <vector>

#include "experiments/analysis/analysis.hpp"

namespace dp::experiments::report {

/// What the intervals in a table of medians of all configurations are called: "range", or where the
/// repetitions differ in number "range (5 repetitions) or 96.9 % interval (6 repetitions)". Empty
/// with one repetition.
std::string interval_names(const analysis::Analysis& analysis);

/// "; in brackets the range": the same for the title of such a table.
std::string brackets_note(const analysis::Analysis& analysis);

/// "N = 2: threads are 4.0 % faster than procs (median of 5 pairs, range 3.8 to 4.2 %).", or that
/// no difference is shown, and which would have been.
std::string describe(const analysis::Comparison& comparison);

/// Returns a cost of `aspect` as text, "404 µs" or "41.2 MB".
std::string amount_of(const analysis::Aspect& aspect, double value);

/// "N = 2, threads against procs: less with threads: transfer (404 µs a step, range 344 µs to 465
/// µs); no difference shown in wait, memory."
std::string describe(const analysis::Contrast& contrast);

/// What costs a design most against ideal, where it is shown; of preemption also by whom.
std::string describe(const analysis::ModeWaterfall& each);

/// The speedup of each design, which of two is faster at each N that has a CPU for each worker and
/// what each of them does for less, the main cause of the loss of each mode's first design,
/// stragglers, and whether parameters agree. The report begins with
/// these sentences, and a sweep ends with them.
std::vector<std::string> find_findings(const analysis::Analysis& analysis);

/// Of all configurations where a rank stands out; else one sentence that none does. Empty where no
/// configuration has two ranks.
std::vector<std::string> describe_stragglers(const analysis::Analysis& analysis);

/// What T(1), and with it every speedup, is measured against.
std::string describe_baseline(const analysis::Analysis& analysis);

/// Whether designs of one N ended with equal parameters.
std::string describe_correctness(const analysis::Analysis& analysis);

}  // namespace dp::experiments::report
