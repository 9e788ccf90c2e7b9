// A report as a tree of blocks, without a word about how it looks: markdown.hpp and html.hpp render
// it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dp::experiments::report {

/// A stretch of text in one style. Text is UTF-8 and means itself: renderers escape it.
struct Span {
    enum class Style { kPlain, kStrong, kCode };
    std::string text;
    Style style = Style::kPlain;
};

/// What stands in a paragraph or an item of a list.
struct Text {
    Text(const char* text) : spans{{text}} {}                   // NOLINT: plain
    Text(std::string text) : spans{{std::move(text)}} {}        // NOLINT
    Text(std::vector<Span> parts) : spans(std::move(parts)) {}  // NOLINT

    std::vector<Span> spans;
};

inline Span plain(std::string text) { return {std::move(text), Span::Style::kPlain}; }
inline Span strong(std::string text) { return {std::move(text), Span::Style::kStrong}; }
inline Span code(std::string text) { return {std::move(text), Span::Style::kCode}; }

/// The id, unique in its document, is what a link `#id` goes to.
struct Heading {
    int level = 2;  // 2 is a section, 3 a part of one; 1 is the document's title
    std::string text;
    std::string id;
};

struct Paragraph {
    Text text;
};

struct List {
    List() = default;
    /// One item for each sentence.
    explicit List(const std::vector<std::string>& sentences)
        : items(sentences.begin(), sentences.end()) {}

    std::vector<Text> items;
};

struct Code {
    std::string text;  // lines
};

enum class Align { kLeft, kRight };

struct Column {
    std::string title;
    Align align = Align::kRight;
};

struct Row {
    std::vector<std::string> cells;  // one for each column; empty: not measured
    bool marked = false;             // as the table's `mark` says
};

struct Table {
    std::string caption;
    std::vector<Column> columns;
    std::vector<Row> rows = {};
    std::string mark = {};  // what a marked row is, "more workers than CPUs"
};

struct Figure {
    std::string name;                // unique in the document
    std::string caption;             // for those who see it
    std::string alt;                 // for those who do not: what it shows, in words
    std::filesystem::path svg, png;  // relative to the document's folder
    std::string svg_text;            // the file's content
};

using Block = std::variant<Heading, Paragraph, List, Code, Table, Figure>;

struct Document {
    std::string title;
    std::string subtitle;
    std::vector<Block> blocks;

    void add(Block block) { blocks.push_back(std::move(block)); }
    void add_if_any(Table table) {
        if (!table.rows.empty()) add(std::move(table));
    }
    void add_if_any(List list) {
        if (!list.items.empty()) add(std::move(list));
    }
};

/// What marks a row, beside its colour: readers may see none.
inline constexpr const char* kRowMark = "\u2020";

}  // namespace dp::experiments::report
