// What fits the user's terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dp::experiments {

/// The columns of the terminal behind file `descriptor`; none when there is no terminal.
std::optional<std::size_t> terminal_columns(int descriptor);

/// `text` with every line broken at spaces into lines of at most `columns`. The lines that follow
/// begin below the second column of text, if the line has two ("speed     4,665 images/s", an
/// option and its help), else where the line begins. A word longer than a line stays whole.
std::string wrap(std::string_view text, std::size_t columns);

/// The line on stderr that tells what happens at this moment. Only a terminal shows it.
class ProgressLine {
public:
    explicit ProgressLine(bool wanted);
    [[nodiscard]] bool shown() const { return shown_; }
    /// Replaces the line by as many of `parts` as fit; the first is cut if it must be.
    void show(const std::vector<std::string>& parts) const;
    void clear() const;

private:
    bool shown_;
};

}  // namespace dp::experiments
