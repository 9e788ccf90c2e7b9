// A document as Markdown (CommonMark with GitHub's tables). Figures are links to their files.
#pragma once

#include <string>
#include <string_view>

#include "experiments/report/document.hpp"

namespace dp::experiments::report {

std::string to_markdown(const Document& document);

/// `text` so that Markdown shows it as it is, in a paragraph as in a table's cell.
std::string escape_markdown(std::string_view text);

}  // namespace dp::experiments::report
