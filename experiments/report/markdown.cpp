#include "experiments/report/markdown.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace dp::experiments::report {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// A fence longer than any run of backticks in the text.
std::string fence_for(std::string_view text, std::size_t least) {
    std::size_t longest = 0;
    std::size_t run = 0;
    for (const char c : text) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    return std::string(std::max(least, longest + 1), '`');
}

std::string render(const Span& span) {
    switch (span.style) {
        case Span::Style::kStrong:
            return "**" + escape_markdown(span.text) + "**";
        case Span::Style::kCode: {
            const std::string fence = fence_for(span.text, 1);
            const char* const pad = fence.size() > 1 ? " " : "";
            return fence + pad + span.text + pad + fence;
        }
        default:
            return escape_markdown(span.text);
    }
}

std::string render(const Text& text) {
    std::string out;
    for (const Span& span : text.spans) out += render(span);
    return out;
}

std::string table_line(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += " " + cell + " |";
    return line + "\n";
}

struct BlockRenderer {
    std::string operator()(const Heading& heading) const {
        return std::string(static_cast<std::size_t>(heading.level), '#') + " " +
               escape_markdown(heading.text) + "\n";
    }
    std::string operator()(const Paragraph& paragraph) const {
        return render(paragraph.text) + "\n";
    }
    std::string operator()(const List& list) const {
        std::string out;
        for (const Text& item : list.items) out += "- " + render(item) + "\n";
        return out;
    }
    std::string operator()(const Code& block) const {
        const std::string fence = fence_for(block.text, 3);
        return fmt::format("{}\n{}\n{}\n", fence, block.text, fence);
    }
    std::string operator()(const Table& table) const {
        std::string out;
        if (!table.caption.empty()) out += escape_markdown(table.caption) + "\n\n";
        std::vector<std::string> titles;
        std::vector<std::string> rules;
        for (const Column& column : table.columns) {
            titles.push_back(escape_markdown(column.title));
            rules.emplace_back(column.align == Align::kRight ? "---:" : ":---");
        }
        out += table_line(titles) + table_line(rules);
        bool marked = false;
        for (const Row& row : table.rows) {
            DP_CHECK(row.cells.size(), ==, table.columns.size());
            std::vector<std::string> cells;
            for (const std::string& cell : row.cells) cells.push_back(escape_markdown(cell));
            if (row.marked) cells.front() += fmt::format(" {}", kRowMark);
            marked = marked || row.marked;
            out += table_line(cells);
        }
        if (marked) out += fmt::format("\n{} {}\n", kRowMark, escape_markdown(table.mark));
        return out;
    }
    std::string operator()(const Figure& figure) const {
        return fmt::format("![{}]({})\n\n*{}* ([SVG]({}))\n", escape_markdown(figure.alt),
                           figure.png.generic_string(), escape_markdown(figure.caption),
                           figure.svg.generic_string());
    }
};

}  // namespace

std::string escape_markdown(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        // Within a word an underscore is no emphasis: cifar_cnn stays readable.
        const bool inside =
            i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
        if (c == '\n' || c == '\r') {
            out += ' ';
            continue;
        }
        if (std::string_view("\\`*[]<>|&").find(c) != std::string_view::npos ||
            (c == '_' && !inside) || (c == '#' && i == 0)) {
            out += '\\';
        }
        out += c;
    }
    return out;
}

std::string to_markdown(const Document& document) {
    std::string out = "# " + escape_markdown(document.title) + "\n";
    if (!document.subtitle.empty()) out += "\n" + escape_markdown(document.subtitle) + "\n";
    for (const Block& block : document.blocks) out += "\n" + std::visit(BlockRenderer{}, block);
    return out;
}

}  // namespace dp::experiments::report
