#include "experiments/text/csv.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace dp::experiments {
namespace {

std::string line_of(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) line += (&cell == &cells.front() ? "" : ",") + cell;
    return line + "\n";
}

}  // namespace

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

Csv::Csv(const std::vector<std::string>& header)
    : columns_(header.size()), text_(line_of(header)) {}

void Csv::add_row(const std::vector<std::string>& cells) {
    DP_CHECK(cells.size(), ==, columns_);
    text_ += line_of(cells);
}

}  // namespace dp::experiments
