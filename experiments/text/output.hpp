// What the program prints.
#pragma once

#include <string>

namespace dp::experiments {

/// Writes `line` and a newline to stdout at once. A closed stdout is not an error: the run goes on.
void print_line(const std::string& line);

}  // namespace dp::experiments
