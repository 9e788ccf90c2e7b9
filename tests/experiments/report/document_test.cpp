// The two forms of a document: what they escape, and what holds for tables and figures.
#include "experiments/report/document.hpp"

#include <sstream>

#include "core/base/check.hpp"
#include "experiments/report/html.hpp"
#include "experiments/report/markdown.hpp"
#include "experiments/text/csv.hpp"
#include "experiments/text/numbers.hpp"
#include "tests/support/catch.hpp"

using namespace dp::experiments;
using namespace dp::experiments::report;

namespace {

Document one(Block block) {
    Document document;
    document.title = "<Title> & co";
    document.add(std::move(block));
    return document;
}

/// Cells of a line of a Markdown table: what stands between pipes that are not escaped.
std::size_t cells_of(const std::string& line) {
    std::size_t pipes = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '|') {
            ++pipes;
        }
    }
    return pipes - 1;
}

Table table() {
    return {"a | b",
            {{"mode", Align::kLeft}, {"a|b"}},
            {{{"x|y", "<1>"}, false}, {{"z", ""}, true}},
            "marked <so>"};
}

}  // namespace

TEST_CASE("HTML escapes every text of a document") {
    const std::string nasty = R"(<script>alert("1 & '2'")</script>)";
    Document document = one(Heading{2, nasty, "a\"b"});
    document.subtitle = nasty;
    document.add(Paragraph{{{plain(nasty), strong(nasty), code(nasty)}}});
    document.add(List{{nasty}});
    document.add(Code{nasty});
    document.add(Table{nasty, {{nasty}}, {{{nasty}, true}}, nasty});
    document.add(Figure{"f", nasty, nasty, "a.svg", "a.png", "<svg></svg>"});
    const std::string html = to_html(document);
    CHECK_THAT(html, !Catch::Contains("<script"));
    CHECK_THAT(html, Catch::Contains("<title>&lt;Title&gt; &amp; co</title>"));
    CHECK_THAT(html, Catch::Contains("aria-label=\"&lt;script&gt;"));
}

TEST_CASE("HTML has a language, a contents list of its sections, and nothing from outside") {
    Document document = one(Heading{2, "Results", "results"});
    document.add(Heading{3, "Part", "part"});
    const std::string html = to_html(document);
    CHECK_THAT(html, Catch::Contains("<html lang=\"en\">"));
    CHECK_THAT(html, Catch::Contains("<li><a href=\"#results\">Results</a></li>"));
    CHECK_THAT(html, !Catch::Contains("href=\"#part\""));
    CHECK_THAT(html, !Catch::Contains("http"));
}

TEST_CASE("an SVG becomes part of a page with ids of its own") {
    const std::string file =
        "<?xml version=\"1.0\"?><!DOCTYPE svg><svg width=\"9\"><title>Gnuplot</title>"
        "<desc>x</desc><g id=\"gnuplot_plot_1a\"></g><g id=\"a\"/><use xlink:href='#a' "
        "fill=\"url(#a)\"/></svg>";
    CHECK(inline_svg(file, "speedup", "S < N") ==
          "<svg role=\"img\" aria-label=\"S &lt; N\" width=\"9\">"
          "<g></g><g id=\"speedup-a\"/><use xlink:href='#speedup-a' "
          "fill=\"url(#speedup-a)\"/></svg>");
}

TEST_CASE("a Markdown table has as many cells in every line, whatever they hold") {
    std::istringstream lines(to_markdown(one(table())));
    std::size_t rows = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("|")) continue;
        INFO(line);
        CHECK(cells_of(line) == 2);
        ++rows;
    }
    CHECK(rows == 4);
}

TEST_CASE("a marked row says so in words in both forms") {
    CHECK_THAT(to_markdown(one(table())),
               Catch::Contains("| z \u2020 |") && Catch::Contains("\u2020 marked \\<so\\>"));
    CHECK_THAT(to_html(one(table())), Catch::Contains("<tr class=\"marked\">") &&
                                          Catch::Contains("\u2020 marked &lt;so&gt;"));
    Table unmarked = table();
    unmarked.rows.pop_back();
    CHECK_THAT(to_html(one(unmarked)), !Catch::Contains("\u2020"));
}

TEST_CASE("a row of another length than its table is a bug") {
    Table wrong = table();
    wrong.rows[0].cells.pop_back();
    CHECK_THROWS_AS(to_html(one(wrong)), dp::core::CheckFailure);
    CHECK_THROWS_AS(to_markdown(one(wrong)), dp::core::CheckFailure);
}

TEST_CASE("Markdown escapes what would be markup") {
    CHECK(escape_markdown("a*b_c cifar_cnn _x_ <b> [l](t) `c`") ==
          "a\\*b_c cifar_cnn \\_x\\_ \\<b\\> \\[l\\](t) \\`c\\`");
    CHECK(escape_markdown("two\nlines") == "two lines");
    CHECK_THAT(to_markdown(one(Code{"a\n```\nb"})), Catch::Contains("````\na\n```\nb\n````"));
}

TEST_CASE("numbers have three digits, units and separators") {
    CHECK(count(1234567.4) == "1,234,567");
    CHECK(percent(0.9734) == "97.3 %");
    CHECK(seconds(0.0123) == "12.3 ms");
    CHECK(seconds(0.99996) == "1.00 s");
    CHECK(bytes(4591656) == "4.59 MB");
    CHECK(number(0.01234) == "0.0123");
    const dp::experiments::statistics::Summary summary{6, 0.8, 0.7, 0.9, {{0.75, 0.85}}, 0.97};
    CHECK(with_interval(summary, 2) == "0.80 [0.75, 0.85]");
    CHECK(with_interval(summary, seconds) == "800 ms [750 ms, 850 ms]");
    CHECK(percent_with_interval(summary) == "80 % [75, 85]");
    CHECK(with_interval({1, 0.8, 0.8, 0.8}, 1) == "0.8");
    CHECK(interval_name(1).empty());
    CHECK(interval_name(5) == "range");
    CHECK(interval_name(6) == "96.9 % interval");
}

TEST_CASE("a CSV quotes what needs it and leaves out what is not known") {
    Csv csv({"a", "b", "c"});
    csv.add("x,\"y\"", std::optional<double>(), 1.5);
    CHECK(csv.text() == "a,b,c\n\"x,\"\"y\"\"\",,1.5\n");
}
