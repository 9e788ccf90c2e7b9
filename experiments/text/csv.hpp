// Comma-separated values (RFC 4180, lines ended by \n): what the plots' scripts read.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dp::experiments {

/// Returns a cell. Numbers have a dot whatever the locale; none, NaN and infinity are empty.
std::string csv_cell(std::string_view text);
std::string csv_cell(double value);
std::string csv_cell(std::optional<double> value);
inline std::string csv_cell(const char* text) { return csv_cell(std::string_view(text)); }
inline std::string csv_cell(const std::string& text) { return csv_cell(std::string_view(text)); }
std::string csv_cell(std::unsigned_integral auto value) { return std::to_string(value); }
inline std::string csv_cell(bool value) { return value ? "1" : "0"; }

class Csv {
public:
    explicit Csv(const std::vector<std::string>& header, std::string_view line_end = "\n");

    /// Adds a row, of as many cells as the header has: CheckFailure.
    template <typename... Cells>
    void add(const Cells&... cells) {
        add_row({csv_cell(cells)...});
    }
    /// The same of cells that are ready to be written.
    void add_row(const std::vector<std::string>& cells);
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::size_t columns_;
    std::string_view line_end_;
    std::string text_;
};

}  // namespace dp::experiments
