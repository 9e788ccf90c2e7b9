// Sections that a reader writes: their text stands in files beside the report, so that a report
// made again keeps it.
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "experiments/report/report.hpp"
#include "experiments/text/files.hpp"

namespace dp::experiments::report {
namespace {

struct OwnSection {
    const char* title;
    const char* id;
    const char* file;
};

constexpr std::array kOwnSections{OwnSection{"Discussion", "discussion", "discussion.txt"},
                                  OwnSection{"Conclusion", "conclusion", "conclusion.txt"}};

/// The text between empty lines, each with its lines joined.
std::vector<std::string> paragraphs_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<std::string> paragraphs(1);
    for (std::string line; std::getline(in, line);) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) {
            if (!paragraphs.back().empty()) paragraphs.emplace_back();
            continue;
        }
        paragraphs.back() += (paragraphs.back().empty() ? "" : " ") + line;
    }
    if (paragraphs.back().empty()) paragraphs.pop_back();
    return paragraphs;
}

}  // namespace

void make_skeleton(const std::filesystem::path& folder) {
    for (const OwnSection& each : kOwnSections) {
        if (!std::filesystem::exists(folder / each.file)) write_text(folder / each.file, "");
    }
}

void add_own_sections(Document& document, const std::filesystem::path& folder) {
    for (const OwnSection& each : kOwnSections) {
        if (!std::filesystem::exists(folder / each.file)) continue;
        document.add(Heading{2, each.title, each.id});
        const auto paragraphs = paragraphs_of(folder / each.file);
        for (const std::string& text : paragraphs) document.add(Paragraph{text});
        if (paragraphs.empty()) {
            document.add(
                Paragraph{{{plain("Not written yet. Its place is "), code(each.file),
                            plain(" beside this report: plain text, with an empty line between "
                                  "paragraphs.")}}});
        }
    }
}

}  // namespace dp::experiments::report
