// The command line that would make a folder of results again.
#pragma once

#include <string>
#include <string_view>

#include "experiments/results/results_folder.hpp"

namespace dp::experiments::report {

/// As the folder's sweep.json has it; without one, put together from the runs' settings: what
/// differs from the defaults.
std::string command_line_of(const ResultsFolder& results);

/// `text` as one word of a POSIX shell.
std::string quote_for_shell(std::string_view text);

}  // namespace dp::experiments::report
