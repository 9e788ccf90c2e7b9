// Names and lists of them in messages.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace dp::core {

/// Returns what `projection` makes of each of `items` as text, with `separator` between them.
/// (fmt::join raises a false warning where g++ 12 optimises it.)
template <typename Items, typename Projection = std::identity>
std::string join(const Items& items, std::string_view separator = ", ",
                 Projection projection = {}) {
    std::string text;
    for (const auto& item : items) {
        text += fmt::format("{}{}", text.empty() ? "" : separator, std::invoke(projection, item));
    }
    return text;
}

/// The row of `rows` that has `name`. Throws Error(kUsage) with the text `refusal`, whose two
/// places are for `name` and the names there are.
template <typename Rows>
const auto& find_named(const Rows& rows, std::string_view name,
                       fmt::format_string<std::string_view&, std::string> refusal) {
    for (const auto& row : rows) {
        if (row.name == name) return row;
    }
    const auto name_of = [](const auto& row) { return row.name; };
    throw Error(ExitCode::kUsage, refusal, name, join(rows, ", ", name_of));
}

}  // namespace dp::core
