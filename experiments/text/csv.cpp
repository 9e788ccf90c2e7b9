#include "experiments/text/csv.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace dp::experiments {

std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string csv_cell(double value) {
    return std::isfinite(value) ? fmt::format("{:.7g}", value) : std::string();
}

std::string csv_cell(std::optional<double> value) {
    return value ? csv_cell(*value) : std::string();
}

Csv::Csv(const std::vector<std::string>& header, std::string_view line_end)
    : columns_(header.size()), line_end_(line_end) {
    add_row(header);
}

void Csv::add_row(const std::vector<std::string>& cells) {
    DP_CHECK(cells.size(), ==, columns_);
    for (const std::string& cell : cells) text_ += (&cell == &cells.front() ? "" : ",") + cell;
    text_ += line_end_;
}

}  // namespace dp::experiments
