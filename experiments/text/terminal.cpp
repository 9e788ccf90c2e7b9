#include "experiments/text/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace dp::experiments {
namespace {

constexpr std::size_t kUsualColumns = 80;  // of a terminal that does not say

/// Where the lines that follow `line` begin.
std::size_t indent_of(std::string_view line) {
    const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t gap = line.find("  ", first);
    const std::size_t second = line.find_first_not_of(' ', gap);
    const bool has_two = gap != std::string_view::npos && second != std::string_view::npos &&
                         second <= kUsualColumns / 2;
    return has_two ? second : first;
}

void wrap_line(std::string_view line, std::size_t columns, std::string& out) {
    std::size_t indent = indent_of(line);
    if (indent + 20 > columns) indent = 0;
    std::size_t used = 0;
    while (used + line.size() > columns) {
        const std::size_t text = used == 0 ? indent : 0;
        std::size_t end = line.rfind(' ', columns - used);
        if (end == std::string_view::npos || end <= text) end = line.find(' ', text + 1);
        if (end == std::string_view::npos) break;
        const std::size_t next = line.find_first_not_of(' ', end);
        if (next == std::string_view::npos) break;
        out.append(line.substr(0, line.find_last_not_of(' ', end) + 1)).append("\n");
        out.append(indent, ' ');
        used = indent;
        line.remove_prefix(next);
    }
    out.append(line);
}

}  // namespace

std::optional<std::size_t> terminal_columns(int descriptor) {
    if (isatty(descriptor) == 0) return std::nullopt;
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
    return size.ws_col;
}

std::string wrap(std::string_view text, std::size_t columns) {
    std::string out;
    for (;;) {
        const std::size_t end = text.find('\n');
        wrap_line(text.substr(0, end), columns, out);
        if (end == std::string_view::npos) return out;
        out += '\n';
        text.remove_prefix(end + 1);
    }
}

ProgressLine::ProgressLine(bool wanted)
    : shown_(wanted && terminal_columns(STDERR_FILENO).has_value()) {}

void ProgressLine::show(const std::vector<std::string>& parts) const {
    if (!shown_ || parts.empty()) return;
    // A line that fills the last column would make some terminals begin the next one.
    const std::size_t room = terminal_columns(STDERR_FILENO).value_or(kUsualColumns) - 1;
    std::string line = parts.front().substr(0, room);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        if (line.size() + 2 + parts[i].size() > room) break;
        line += ", " + parts[i];
    }
    std::fputs(("\r" + line + "\033[K").c_str(), stderr);
}

void ProgressLine::clear() const {
    if (shown_) std::fputs("\r\033[K", stderr);
}

}  // namespace dp::experiments
