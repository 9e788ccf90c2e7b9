#include "experiments/report/html.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/algorithm/string/replace.hpp>

#include "core/base/check.hpp"

namespace dp::experiments::report {
namespace {

/// A table of at most so many rows stays on one printed page: a longer one would leave too much of
/// the page before it empty.
constexpr std::size_t kShortTable = 12;
/// What is wider scrolls within its box.
constexpr const char* kScrollHint =
    "<p class=\"hint\" aria-hidden=\"true\">Wider than the screen: scroll it sideways.</p>\n";

std::string render(const Span& span) {
    const std::string text = escape_html(span.text);
    switch (span.style) {
        case Span::Style::kStrong:
            return "<strong>" + text + "</strong>";
        case Span::Style::kCode:
            return "<code>" + text + "</code>";
        default:
            return text;
    }
}

std::string render(const Text& text) {
    std::string out;
    for (const Span& span : text.spans) out += render(span);
    return out;
}

const char* class_of(const Column& column) {
    return column.align == Align::kLeft ? " class=\"left\"" : "";
}

std::string table_row(const Table& table, const Row& row) {
    DP_CHECK(row.cells.size(), ==, table.columns.size());
    std::string out = row.marked ? "<tr class=\"marked\">" : "<tr>";
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
        const std::string mark = row.marked && i == 0 ? fmt::format("&nbsp;{}", kRowMark) : "";
        out += fmt::format("<td{}>{}{}</td>", class_of(table.columns[i]), escape_html(row.cells[i]),
                           mark);
    }
    return out + "</tr>\n";
}

struct BlockRenderer {
    std::string operator()(const Heading& heading) const {
        return fmt::format("<h{0} id=\"{1}\">{2}</h{0}>\n", heading.level, escape_html(heading.id),
                           escape_html(heading.text));
    }
    std::string operator()(const Paragraph& paragraph) const {
        return "<p>" + render(paragraph.text) + "</p>\n";
    }
    std::string operator()(const List& list) const {
        std::string out = "<ul>\n";
        for (const Text& item : list.items) out += "<li>" + render(item) + "</li>\n";
        return out + "</ul>\n";
    }
    std::string operator()(const Code& block) const {
        return "<pre tabindex=\"0\"><code>" + escape_html(block.text) + "</code></pre>\n";
    }
    std::string operator()(const Table& table) const {
        // tabindex: a keyboard can scroll the box as well.
        std::string out = fmt::format("<div class=\"scroll{}\" tabindex=\"0\"><table>\n",
                                      table.rows.size() <= kShortTable ? " short" : "");
        if (!table.caption.empty()) {
            out += "<caption>" + escape_html(table.caption) + "</caption>\n";
        }
        out += "<thead><tr>";
        for (const Column& column : table.columns) {
            out += fmt::format("<th scope=\"col\"{}>{}</th>", class_of(column),
                               escape_html(column.title));
        }
        out += "</tr></thead>\n<tbody>\n";
        bool marked = false;
        for (const Row& row : table.rows) {
            out += table_row(table, row);
            marked = marked || row.marked;
        }
        out += "</tbody></table></div>\n";
        if (marked) {
            out += fmt::format("<p class=\"note\">{} {}</p>\n", kRowMark, escape_html(table.mark));
        }
        return out;
    }
    std::string operator()(const Figure& figure) const {
        return fmt::format(
            "<figure id=\"figure-{}\">{}<div class=\"card\" tabindex=\"0\">\n{}\n</div>\n"
            "<figcaption>{}</figcaption></figure>\n",
            escape_html(figure.name), kScrollHint,
            inline_svg(figure.svg_text, figure.name, figure.alt), escape_html(figure.caption));
    }
};

std::string table_of_contents(const Document& document) {
    std::string items;
    for (const Block& block : document.blocks) {
        const auto* heading = std::get_if<Heading>(&block);
        if (heading == nullptr || heading->level != 2) continue;
        items += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", escape_html(heading->id),
                             escape_html(heading->text));
    }
    return "<nav aria-label=\"Contents\"><ol>\n" + items + "</ol></nav>\n";
}

void remove_element(std::string& text, std::string_view name) {
    const std::string end = fmt::format("</{}>", name);
    for (std::size_t at = 0;
         (at = text.find(fmt::format("<{}>", name), at)) != std::string::npos;) {
        const std::size_t last = text.find(end, at);
        if (last == std::string::npos) return;
        text.erase(at, last + end.size() - at);
    }
}

/// Those that begin with `begin` and end with the next quote.
void remove_attributes(std::string& text, std::string_view begin) {
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
        const std::size_t end = text.find('"', at + begin.size());
        if (end == std::string::npos) return;
        text.erase(at, end + 1 - at);
    }
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string out(text);
    // The ampersand first: the others make new ones.
    for (const auto& [plain, entity] : std::initializer_list<std::pair<const char*, const char*>>{
             {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}}) {
        boost::replace_all(out, plain, entity);
    }
    return out;
}

std::string inline_svg(std::string_view file, std::string_view name, std::string_view label) {
    const std::size_t begin = file.find("<svg");
    DP_CHECK(begin, !=, std::string_view::npos);
    std::string svg(file.substr(begin));
    remove_element(svg, "title");
    remove_element(svg, "desc");
    // The panels of a picture repeat these, and nothing refers to them.
    remove_attributes(svg, " id=\"gnuplot_plot_");
    const std::string prefix = escape_html(name) + "-";
    for (const char* const before : {" id=\"", " id='", "href=\"#", "href='#", "url(#"}) {
        boost::replace_all(svg, before, before + prefix);
    }
    svg.insert(std::string_view("<svg").size(),
               fmt::format(" role=\"img\" aria-label=\"{}\"", escape_html(label)));
    return svg;
}

std::string to_html(const Document& document) {
    std::string out = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n"
        "<body>\n<header><h1>{}</h1>\n<p class=\"subtitle\">{}</p></header>\n{}<main>\n",
        escape_html(document.title), kStyleSheet, escape_html(document.title),
        escape_html(document.subtitle), table_of_contents(document));
    for (const Block& block : document.blocks) out += std::visit(BlockRenderer{}, block);
    return out + "</main>\n</body>\n</html>\n";
}

}  // namespace dp::experiments::report
