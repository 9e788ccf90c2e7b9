// The command line of dp_compare: what was asked, checked and turned into runs.
#pragma once

#include <string>
#include <variant>

#include "experiments/allreduce/benchmark.hpp"
#include "experiments/allreduce/launched_rank.hpp"
#include "experiments/diff/ab.hpp"
#include "experiments/diff/diff.hpp"
#include "experiments/predict/predict.hpp"
#include "experiments/report/report.hpp"
#include "experiments/sweep/rank.hpp"
#include "experiments/sweep/request.hpp"

namespace dp::experiments {

/// Training, a subcommand, or text.
using Parsed =
    std::variant<Request, allreduce::Request, report::Request, diff::Request, diff::AbRequest,
                 predict::Request, RankRequest, allreduce::RankRequest, std::string>;

/// What to do, or (--help, --version) what to print and be done. Throws Error(kUsage) that names
/// the option, the value and the next step.
Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace dp::experiments
