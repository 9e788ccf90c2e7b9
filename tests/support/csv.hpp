// Reads a CSV file as RFC 4180 defines it, and no other.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace dp::tests {

using CsvRow = std::map<std::string, std::string>;

/// The rows' cells in order, the header first. Throws where lines do not end with CR LF or quotes
/// are not closed.
inline std::vector<std::vector<std::string>> csv_lines(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::vector<std::vector<std::string>> lines(1, std::vector<std::string>(1));
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string& cell = lines.back().back();
        if (text[i] == '"') {
            if (quoted && text.substr(i, 2) == "\"\"") {
                cell += text[i++];
            } else {
                quoted = !quoted;
            }
        } else if (quoted || (text[i] != ',' && text[i] != '\r' && text[i] != '\n')) {
            cell += text[i];
        } else if (text[i] == ',') {
            lines.back().emplace_back();
        } else if (text.substr(i, 2) == "\r\n") {
            lines.emplace_back(1);
            ++i;
        } else {
            throw std::runtime_error("a line that does not end with CR LF");
        }
    }
    if (quoted || lines.back() != std::vector<std::string>(1)) {
        throw std::runtime_error("the last line does not end");
    }
    lines.pop_back();
    return lines;
}

/// The rows by column name. Throws where a row is not as long as the header.
inline std::vector<CsvRow> csv_rows(const std::filesystem::path& file) {
    const auto lines = csv_lines(file);
    std::vector<CsvRow> rows;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].size() != lines[0].size()) throw std::runtime_error("a row of another length");
        CsvRow& row = rows.emplace_back();
        for (std::size_t j = 0; j < lines[0].size(); ++j) row[lines[0][j]] = lines[i][j];
    }
    return rows;
}

}  // namespace dp::tests
