// What the program prints on stdout.
#pragma once

#include <string>
#include <string_view>

namespace dp::experiments {

/// `text` with a ? for every control character but newlines and tabs: names come from outside, and
/// a terminal would obey what they hold.
std::string printable(std::string_view text);

/// Writes `text`, as printable() has it, to stdout at once. Should that fail, the run goes on and
/// check_output() tells.
void print(std::string_view text);

/// Prints `line` and a newline, wrapped if stdout is a terminal.
void print_line(const std::string& line);

/// Throws Error(kRunFailed) when something that was printed is lost, unless nobody wanted it: a
/// reader that left (`| head`) or a stdout that is closed is no error.
void check_output();

}  // namespace dp::experiments
