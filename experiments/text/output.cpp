#include "experiments/text/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/base/error.hpp"
#include "experiments/text/terminal.hpp"

namespace dp::experiments {

std::string printable(std::string_view text) {
    std::string safe(text);
    std::ranges::replace_if(
        safe, [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 127; },
        '?');
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F in UTF-8.
    for (std::size_t i = 0; i + 1 < safe.size(); ++i) {
        const auto next = static_cast<unsigned char>(safe[i + 1]);
        if (safe[i] == '\xC2' && next >= 0x80 && next <= 0x9F) safe.replace(i, 2, "?");
    }
    return safe;
}

void print(std::string_view text) {
    std::fputs(printable(text).c_str(), stdout);
    std::fflush(stdout);
}

void print_line(const std::string& line) {
    const auto columns = terminal_columns(STDOUT_FILENO);
    print((columns ? wrap(line, *columns) : line) + "\n");
}

void check_output() {
    if (std::ferror(stdout) == 0) return;
    pollfd reader{STDOUT_FILENO, POLLOUT, 0};
    if (poll(&reader, 1, 0) >= 0 && (reader.revents & (POLLERR | POLLNVAL)) != 0) return;
    throw core::Error(core::ExitCode::kRunFailed,
                      "what was printed could not be written in full: make room where stdout goes");
}

}  // namespace dp::experiments
