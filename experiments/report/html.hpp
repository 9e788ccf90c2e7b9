// A document as one HTML file that needs nothing else: style and figures are in it, scripts are
// not. Made for a screen of any width, light or dark, and for paper.
#pragma once

#include <string>
#include <string_view>

#include "experiments/report/document.hpp"

namespace dp::experiments::report {

/// report/style.css, which every page contains.
extern const char* const kStyleSheet;

std::string to_html(const Document& document);

/// `text` as it stands in an element or a quoted attribute.
std::string escape_html(std::string_view text);

/// An SVG file's <svg> element as a part of a page: without the file's prologue, title and
/// description, and with its ids made `name`'s own, since several such share a page.
std::string inline_svg(std::string_view file, std::string_view name, std::string_view label);

}  // namespace dp::experiments::report
